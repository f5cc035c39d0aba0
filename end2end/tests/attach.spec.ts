// Pictures attached to a prompt, and the brush.

import { card, drag, expect, expectShown, type Locator, type Page, photo, pixel, test, visit } from './fixtures';

// The test reads the canvas again and again, which Chromium mentions.
test.use({ answers: [], wanted: /willReadFrequently/ });

const small = { name: 'pixel.png', mimeType: 'image/png', buffer: Buffer.from(pixel, 'base64') };

const field = (page: Page) => page.getByLabel('Attach pictures');
const thumbs = (page: Page) => page.getByRole('list', { name: 'Attached pictures' }).getByRole('listitem');
const send = (page: Page) => page.getByRole('button', { name: 'Paint it', exact: true }).click();

/** How many pixels are painted over. */
function painted(sheet: Locator): Promise<number> {
  return sheet.evaluate((canvas: HTMLCanvasElement) => {
    const { data } = canvas.getContext('2d')!.getImageData(0, 0, canvas.width, canvas.height);
    return data.filter((value, at) => at % 4 === 3 && value > 127).length;
  });
}

test('pictures are attached one after another, taken off, and stay with the words', async ({ page }) => {
  await visit(page, '/');
  await expect(page.getByText('Attached pictures are sent to OpenAI')).toBeHidden();
  await field(page).setInputFiles(photo);
  await expectShown(thumbs(page).getByAltText('photo.jpg'));
  await expect(page.getByText('Attached pictures are sent to OpenAI')).toBeVisible();
  await expect(page.getByLabel('Wide'), 'the picture to come has the shape of the one attached').toBeChecked();
  await field(page).setInputFiles(small);
  await expect(thumbs(page)).toHaveCount(2);
  await expect(page.getByLabel('Change only what I paint over')).toBeHidden();
  await thumbs(page).last().getByRole('button', { name: 'Remove' }).click();
  await expect(thumbs(page)).toHaveCount(1);
  await page.getByLabel('Prompt').fill('at night');
  await send(page);
  const job = card(page, 'at night');
  await expectShown(job.getByAltText('at night'));
  await expectShown(job.getByAltText('Attached pictures'));
  await expect(thumbs(page)).toHaveCount(1);
});

test('they are pasted and dropped', async ({ page }) => {
  await visit(page, '/');
  for (const type of ['paste', 'drop']) {
    await page.getByLabel('Prompt').evaluate((at, type) => {
      const carrier = new DataTransfer();
      carrier.items.add(new File(['GIF89a'], `${type}.gif`, { type: 'image/gif' }));
      const event = type === 'drop'
        ? new DragEvent(type, { dataTransfer: carrier, bubbles: true, cancelable: true })
        : new ClipboardEvent(type, { clipboardData: carrier, bubbles: true, cancelable: true });
      at.dispatchEvent(event);
    }, type);
  }
  await expect(thumbs(page)).toHaveCount(2);
});

test('no more than four are taken, and no other files', async ({ page }) => {
  await visit(page, '/');
  await field(page).setInputFiles(Array.from({ length: 5 }, () => small));
  const alert = page.locator('.desk').getByRole('alert');
  await expect(alert).toHaveText('At most 4 pictures can be attached.');
  await expect(thumbs(page)).toHaveCount(4);
  await field(page).setInputFiles({ name: 'notes.pdf', mimeType: 'application/pdf', buffer: Buffer.from('%PDF') });
  await expect(alert).toHaveText(/not a photo we can read/);
  await expect(thumbs(page)).toHaveCount(4);
});

test('only a part is changed: strokes are taken back, rubbed out and cleared', async ({ page }) => {
  await visit(page, '/');
  await field(page).setInputFiles(photo);
  await page.getByLabel('Change only what I paint over').check();
  const sheet = page.locator('.easel canvas:not([hidden])');
  await expect(sheet).toHaveCSS('touch-action', 'pinch-zoom');
  await drag(page, sheet, [0.1, 0.2], [0.5, 0.2]);
  const one = await painted(sheet);
  expect(one).toBeGreaterThan(1_000);
  await drag(page, sheet, [0.1, 0.7], [0.8, 0.7]);
  expect(await painted(sheet)).toBeGreaterThan(one * 1.5);
  await page.getByRole('button', { name: 'Undo', exact: true }).click();
  expect(await painted(sheet)).toBe(one);
  await page.getByLabel('Eraser').check();
  await drag(page, sheet, [0.3, 0.1], [0.3, 0.3]);
  const rubbed = await painted(sheet);
  expect(rubbed).toBeLessThan(one);
  expect(rubbed).toBeGreaterThan(0);
  // A second finger moves the page: what the first has begun is taken back.
  await sheet.dispatchEvent('pointercancel', { pointerId: 1, bubbles: true });
  expect(await painted(sheet)).toBe(one);
  await page.getByRole('button', { name: 'Clear', exact: true }).click();
  expect(await painted(sheet)).toBe(0);
  await page.getByLabel('Prompt').fill('a window');
  await send(page);
  await expect(page.locator('.desk').getByRole('alert')).toHaveText('First paint over what should change.');
  await page.getByLabel('Eraser').uncheck();
  await drag(page, sheet, [0.2, 0.2], [0.5, 0.5]);
  await send(page);
  const job = card(page, 'a window');
  await expectShown(job.getByAltText('a window'));
  await expect(job).toContainText('What you painted over');
});

test('the same pictures are attached again without being sent', async ({ page }) => {
  await visit(page, '/');
  await field(page).setInputFiles(photo);
  await page.getByLabel('Prompt').fill('at noon');
  await send(page);
  const job = card(page, 'at noon');
  await expectShown(job.getByAltText('at noon'));
  const id = await job.getAttribute('data-id');
  await visit(page, `/?from=${id}`);
  await expect(page.getByLabel('With the pictures attached to it')).toBeChecked();
  await page.getByLabel('Prompt').fill('at dawn');
  await send(page);
  await expectShown(card(page, 'at dawn').getByAltText('Attached pictures'));
});
