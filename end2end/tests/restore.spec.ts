// Restored photos with JavaScript.

import { writeFile } from 'node:fs/promises';
import { card, drag, discard, expect, expectShown, type Page, photo, pixel, restore, test, visit } from './fixtures';

test.beforeEach(async ({ page }) => {
  await visit(page, '/restore');
});

test('a photo is previewed, restored, and compared with the keyboard', async ({ page }) => {
  await page.getByLabel('Choose a photo').setInputFiles(photo);
  await expectShown(page.getByAltText('The photo you chose'));
  await expect(page.getByText('photo.jpg')).toBeVisible();
  await page.getByRole('button', { name: 'Restore it' }).click();
  const job = card(page, 'A restored photo');
  const before = job.getByAltText('The original photo');
  await expectShown(job.getByAltText('The photo, restored'));
  await expectShown(before);
  await expect(page.getByAltText('The photo you chose')).toBeHidden();

  const slider = job.getByRole('slider', { name: 'How much of the original' });
  const clipped = await clip(before);
  await expect(slider).toHaveValue('50');
  await slider.press('ArrowRight');
  await expect(slider).toHaveValue('51');
  await expect(job.getByText('Before 51 %')).toBeVisible();
  await expect.poll(() => clip(before)).not.toBe(clipped);

  await job.getByLabel('Side by side').check();
  await expect(slider).toBeHidden();
  const [left, right] = [await before.boundingBox(), await job.getByAltText('The photo, restored').boundingBox()];
  expect(left!.x + left!.width).toBeLessThanOrEqual(right!.x);
});

test('a photo can be dropped on the zone and enlarged', async ({ page }) => {
  await drop(page, photo);
  await expectShown(page.getByAltText('The photo you chose'));
  await page.getByRole('combobox', { name: 'Size' }).selectOption('2');
  await page.getByRole('button', { name: 'Restore it' }).click();
  await expect(card(page, 'A restored photo')).toContainText('1200 × 880');
});

test('two photos dropped at once become two jobs', async ({ page }, testInfo) => {
  const second = testInfo.outputPath('second.png');
  await writeFile(second, Buffer.from(pixel, 'base64'));
  await drop(page, photo, second);
  await expect(page.getByText('photo.jpg and 1 more')).toBeVisible();
  await page.getByRole('button', { name: 'Restore it' }).click();
  await expect(page.getByAltText('The photo, restored')).toHaveCount(2);
});

test('what cannot be read keeps back nothing else', async ({ page }, testInfo) => {
  const damaged = testInfo.outputPath('damaged.jpg');
  await writeFile(damaged, 'no photo');
  const second = testInfo.outputPath('second.png');
  await writeFile(second, Buffer.from(pixel, 'base64'));
  await drop(page, photo, damaged, second);
  await page.getByRole('button', { name: 'Restore it' }).click();
  await expect(page.locator('.job')).toHaveCount(2);
  await expect(page.locator('form.desk').getByRole('alert')).toHaveText(/^damaged\.jpg: /);
  expect(await chosen(page), 'what was refused can be sent again').toEqual(['damaged.jpg']);
});

test('what cannot be a photo keeps back nothing else', async ({ page }, testInfo) => {
  const notes = testInfo.outputPath('notes.pdf');
  await writeFile(notes, '%PDF');
  await drop(page, photo, notes);
  await expect(page.locator('form.desk').getByRole('alert')).toHaveText(/^notes\.pdf: .* not a photo/);
  expect(await chosen(page)).toEqual(['photo.jpg']);
  await expectShown(page.getByAltText('The photo you chose'));
});

test('a photo chosen while another travels stays chosen', async ({ page }, testInfo) => {
  const second = testInfo.outputPath('second.png');
  await writeFile(second, Buffer.from(pixel, 'base64'));
  let arrive = (): void => {};
  const held = new Promise<void>((go) => (arrive = go));
  await page.route('/api/restorations', async (route) => {
    await held;
    await route.continue();
  });
  await restore(page, photo);
  await expect(page.getByRole('button', { name: 'Uploading' })).toBeVisible();
  await page.getByLabel('Choose a photo').setInputFiles(second);
  await page.getByRole('combobox', { name: 'Size' }).selectOption('2');
  arrive();
  await expectShown(page.getByAltText('The photo, restored'));
  expect(await chosen(page)).toEqual(['second.png']);
  await expect(page.getByText('second.png')).toBeVisible();
  await expect(page.getByRole('combobox', { name: 'Size' })).toHaveValue('2');
  await page.getByRole('button', { name: 'Restore it' }).click();
  await expect(page.getByAltText('The photo, restored')).toHaveCount(2);
  expect(await chosen(page)).toEqual([]);
  await expect(page.getByText('second.png')).toBeHidden();
});

test('a photo dropped beside the zone is taken, and opens nowhere', async ({ page }) => {
  await drop(page, { on: page.getByRole('heading', { level: 1 }) }, photo);
  await expectShown(page.getByAltText('The photo you chose'));
  expect(await chosen(page)).toEqual(['photo.jpg']);
  await visit(page, '/');
  await page.getByLabel('Prompt').fill('half a');
  await drop(page, { on: page.getByRole('contentinfo') }, photo);
  await drop(page, { on: page.getByLabel('Prompt') }, photo);
  await expect(page.getByLabel('Prompt')).toHaveValue('half a');
  await expect(page).toHaveURL('/');
});

test('what was told of a file goes with the file', async ({ page }) => {
  const alert = page.locator('form.desk').getByRole('alert');
  await restore(page, { name: 'poem.jpg', mimeType: 'image/jpeg', buffer: Buffer.from('Roses are red') });
  await expect(alert).toHaveText(/Send a JPEG, PNG/);
  await page.getByLabel('Choose a photo').setInputFiles([]);
  await expect(alert).toBeHidden();
});

test('both can be looked at in other ways', async ({ page }) => {
  await restore(page, photo);
  const job = card(page, 'A restored photo');
  const [before, after] = [job.getByAltText('The original photo'), job.getByAltText('The photo, restored')];
  await expectShown(before);
  const half = await clip(before);
  const hold = job.getByRole('button', { name: 'Hold for original' });
  await hold.hover();
  await page.mouse.down();
  expect(await clip(before)).toBe('none');
  await page.mouse.up();
  expect(await clip(before)).toBe(half);

  await job.getByLabel('Changes only').check();
  expect(await clip(before)).toBe('none');
  await job.getByLabel('Changes only').uncheck();
  await job.getByLabel('Actual size').check();
  const pixels = Number(await after.getAttribute('width'));
  for (const image of [before, after]) await expect.poll(async () => (await image.boundingBox())!.width).toBe(pixels);
});

test('only what was painted over is repaired', async ({ page }) => {
  await page.getByLabel('Choose a photo').setInputFiles(photo);
  const easel = page.locator('.easel');
  await page.getByLabel('Repair only what I paint over').check();
  await page.getByRole('button', { name: 'Restore it', exact: true }).click();
  await expect(page.locator('form.desk').getByRole('alert')).toHaveText('First paint over what should change.');
  await drag(page, easel.locator('canvas'), [0.1, 0.1], [0.5, 0.5]);
  await page.getByRole('button', { name: 'Restore it' }).click();
  const job = card(page, 'A restored photo');
  await expectShown(job.getByAltText('The photo, restored'));
  await expect(job).toContainText('What you painted over');
  await expect(page.getByLabel('Repair only what I paint over')).not.toBeChecked();
});

test('it is saved under the name of the original', async ({ page }) => {
  await restore(page, photo);
  const job = card(page, 'A restored photo');
  const saved = async (label: string): Promise<string> => {
    const download = page.waitForEvent('download');
    await job.getByRole('link', { name: label }).click();
    return (await download).suggestedFilename();
  };
  expect(await saved('Download')).toBe('photo-restored.jpg');
  await job.getByText('More', { exact: true }).click();
  expect(await saved('PNG')).toBe('photo-restored.png');
});

test('a photo is given away by a link, and deleted', async ({ page, browser, baseURL }) => {
  await restore(page, photo);
  await expect(card(page, 'A restored photo')).toContainText('Only you can see this. It will be deleted in 24 hours.');
  await page.getByRole('button', { name: 'Make a link' }).click();
  await expect(page).toHaveURL(/\/jobs\/\w+\?key=[\w-]+$/);
  await expect(page.getByText('Anyone with the link to this page can see it.')).toBeVisible();

  const stranger = await browser.newPage({ baseURL });
  const [link, bare] = [page.url(), page.url().split('?')[0]];
  expect((await stranger.goto(bare))!.status()).toBe(404);
  await stranger.goto(link);
  await expectShown(stranger.getByAltText('The photo, restored'));
  await expect(stranger.getByRole('button', { name: 'Delete now' })).toHaveCount(0);

  const picture = await page.getByAltText('The photo, restored').getAttribute('src');
  page.once('dialog', (dialog) => void dialog.accept());
  await discard(page.locator('.job'), 'Delete now');
  await expect(page.getByText('The photo and its restored version are deleted.').first()).toBeVisible();
  await expect(page.getByAltText('The photo, restored')).toHaveCount(0);
  for (const gone of [link, bare, picture!]) {
    expect((await page.request.get(gone)).status()).toBe(404);
    expect((await stranger.request.get(gone)).status()).toBe(404);
  }
  await stranger.close();
});

test('what cannot be a photo is refused before it travels', async ({ page }, testInfo) => {
  const large = testInfo.outputPath('large.jpg');
  await writeFile(large, Buffer.alloc(25_000_001));
  const sent: string[] = [];
  page.on('request', (request) => sent.push(request.method()));
  const input = page.getByLabel('Choose a photo');
  const alert = page.locator('form.desk').getByRole('alert');
  await input.setInputFiles({ name: 'notes.pdf', mimeType: 'application/pdf', buffer: Buffer.from('%PDF') });
  await expect(alert).toHaveText(/not a photo we can read\. Choose a JPEG/);
  await expect(input).toHaveValue('');
  await input.setInputFiles({ name: 'empty.jpg', mimeType: 'image/jpeg', buffer: Buffer.alloc(0) });
  await expect(alert).toHaveText(/This file is empty/);
  await input.setInputFiles(large);
  await expect(alert).toHaveText('This file is 26\u00a0MB; the limit is 25\u00a0MB.');
  await input.setInputFiles(photo);
  await expect(alert).toBeHidden();
  expect(sent).not.toContain('POST');
});

test('what was chosen before the page came alive is looked at then', async ({ page }) => {
  let alive = (): void => {};
  const held = new Promise<void>((go) => (alive = go));
  await page.route('**/*.wasm', async (route) => {
    await held;
    await route.continue();
  });
  await page.reload();
  await page.getByLabel('Choose a photo').setInputFiles(photo);
  alive();
  await expectShown(page.getByAltText('The photo you chose'));
});

test('a text that calls itself a photo is refused by the studio', async ({ page }) => {
  await restore(page, { name: 'poem.jpg', mimeType: 'image/jpeg', buffer: Buffer.from('Roses are red') });
  await expect(page.locator('form.desk').getByRole('alert')).toHaveText(/Send a JPEG, PNG/);
  await restore(page, photo);
  await expectShown(card(page, 'A restored photo').getByAltText('The photo, restored'));
});

/** Which part of an image is shown. */
function clip(image: ReturnType<Page['locator']>): Promise<string> {
  return image.evaluate((img) => getComputedStyle(img).clipPath);
}

/** The names of the files that are chosen. */
function chosen(page: Page): Promise<string[]> {
  const names = (input: HTMLInputElement) => [...input.files!].map((file) => file.name);
  return page.getByLabel('Choose a photo').evaluate(names);
}

/** Drops files as a person would, on the zone or elsewhere; scripts cannot give an input its files. */
async function drop(page: Page, ...what: (string | { on: ReturnType<Page['locator']> })[]): Promise<void> {
  const files = what.filter((each) => typeof each === 'string');
  const place = what.find((each) => typeof each === 'object')?.on ?? page.locator('.drop');
  const zone = await place.boundingBox();
  const browser = await page.context().newCDPSession(page);
  for (const type of ['dragEnter', 'dragOver', 'drop'] as const) {
    await browser.send('Input.dispatchDragEvent', {
      type,
      x: zone!.x + zone!.width / 2,
      y: zone!.y + Math.min(30, zone!.height / 2),
      data: { items: [], files, dragOperationsMask: 1 },
    });
  }
}
