// The gallery with JavaScript, and the keys.

import { card, expect, expectShown, type Page, paint, photo, pressOnPurpose, restore, test, visit } from './fixtures';

async function painted(page: Page, ...prompts: string[]): Promise<void> {
  await visit(page, '/');
  for (const prompt of prompts) {
    await paint(page, prompt);
    await expectShown(card(page, prompt).getByRole('img'));
  }
}

const link = (page: Page, name: string) => page.getByRole('link', { name, exact: true });

test('pictures are found by words and by kind', async ({ page }) => {
  await painted(page, 'a red boat', 'a fox in the snow');
  await visit(page, '/restore');
  await restore(page, photo);
  await expectShown(page.getByAltText('The photo, restored'));
  await visit(page, '/gallery');
  await expect(page.locator('[data-shelf] li')).toHaveCount(3);
  await page.keyboard.press('/');
  await expect(page.getByLabel('Search prompts')).toBeFocused();
  await page.keyboard.type('snow');
  await page.keyboard.press('Enter');
  await expect(page).toHaveURL(/q=snow/);
  await expect(page.locator('[data-shelf] li')).toHaveCount(1);
  await expect(link(page, 'a fox in the snow')).toBeVisible();
  await page.getByLabel('Search prompts').fill('');
  await page.getByLabel('Photos', { exact: true }).check();
  await expect(link(page, 'The photo, restored')).toBeVisible();
  await expect(page.locator('[data-shelf] li')).toHaveCount(1);
});

test('a picture opens in place, and the arrows turn to the next', async ({ page }) => {
  await painted(page, 'a red boat', 'a fox in the snow');
  await visit(page, '/gallery');
  await link(page, 'a fox in the snow').click();
  const box = page.getByRole('dialog', { name: 'Picture' });
  await expectShown(box.getByAltText('a fox in the snow'));
  await page.keyboard.press('ArrowRight');
  await expectShown(box.getByAltText('a red boat'));
  await page.keyboard.press('ArrowLeft');
  await expectShown(box.getByAltText('a fox in the snow'));
  await expect(box.getByText('1 of 2')).toBeVisible();
  await page.keyboard.press('Escape');
  await expect(box).toBeHidden();
  await expect(link(page, 'a fox in the snow')).toBeFocused();
  await page.keyboard.press('ArrowRight');
  await expect(link(page, 'a red boat')).toBeFocused();
  await page.keyboard.press('?');
  const sheet = page.getByRole('dialog', { name: 'Shortcuts' });
  await expect(sheet).toBeVisible();
  await sheet.getByLabel('Turn off single-key shortcuts').check();
  await sheet.getByRole('button', { name: 'Close' }).click();
  await expect(sheet).toBeHidden();
  await page.reload();
  await visit(page, '/gallery');
  await page.keyboard.press('?');
  await expect(sheet).toBeHidden();
  await page.getByRole('button', { name: 'Shortcuts' }).click();
  await sheet.getByLabel('Turn off single-key shortcuts').uncheck();
  await page.keyboard.press('Escape');
  await page.keyboard.press('?');
  await expect(sheet).toBeVisible();
});

test.describe('with a quick model', () => {
  test.use({ answers: [] });

  test('the arrows turn on to the next page of the gallery', async ({ page }) => {
    test.slow();
    await visit(page, '/');
    for (let number = 1; number <= 26; number++) {
      const { id } = await (await page.request.post('/api/images', { data: { prompt: `boat ${number}` } })).json();
      const status = async () => (await (await page.request.get(`/api/jobs/${id}`)).json()).status;
      await expect.poll(status).toBe('succeeded');
    }
    await visit(page, '/gallery');
    await link(page, 'boat 26').click();
    const box = page.getByRole('dialog', { name: 'Picture' });
    await expectShown(box.getByAltText('boat 26', { exact: true }));
    for (let number = 25; number >= 1; number--) {
      await page.keyboard.press('ArrowRight');
      await expect(box.getByAltText(`boat ${number}`, { exact: true })).toBeVisible();
    }
    await page.keyboard.press('ArrowRight');
    await expectShown(box.getByAltText('boat 1', { exact: true }));
    await page.keyboard.press('ArrowLeft');
    await expectShown(box.getByAltText('boat 2', { exact: true }));
  });
});

test('the lightbox closes by a press beside the picture, not by a drag to there', async ({ page }) => {
  await painted(page, 'a red boat');
  await visit(page, '/gallery');
  await link(page, 'a red boat').click();
  const box = page.getByRole('dialog', { name: 'Picture' });
  await expectShown(box.getByAltText('a red boat'));
  const picture = (await box.getByAltText('a red boat').boundingBox())!;
  const words = (await box.getByRole('link', { name: 'Details' }).boundingBox())!;
  for (const { x, y } of [
    { x: picture.x + picture.width / 2, y: picture.y + 20 },
    { x: words.x - 2, y: words.y + 5 },
  ]) {
    await page.mouse.move(x, y);
    await page.mouse.down();
    await page.mouse.move(x, 2, { steps: 5 });
    await page.mouse.up();
    await expect(box).toBeVisible();
  }
  await page.mouse.click(2, 2);
  await expect(box).toBeHidden();
});

test('a key pressed twice to delete does not take it back', async ({ page }) => {
  await painted(page, 'a red boat');
  await visit(page, '/gallery');
  await page.getByLabel('Choose “a red boat”').check();
  await page.getByRole('button', { name: 'Delete chosen' }).focus();
  await page.keyboard.press('Enter');
  await page.keyboard.press('Enter');
  await expect(page.getByRole('button', { name: 'Undo' })).toBeFocused();
  await expect(link(page, 'a red boat')).toBeHidden();
  await pressOnPurpose(page, link(page, 'a red boat'));
});

test('pictures that were made at once are looked at one by one', async ({ page }) => {
  await painted(page, 'a red boat');
  await page.getByLabel('How many').selectOption('2');
  await paint(page, 'a fox in the snow');
  await expect(card(page, 'a fox in the snow').getByRole('img')).toHaveCount(2);
  await visit(page, '/gallery');
  await expect(page.getByText('2 × a fox in the snow')).toBeVisible();
  await link(page, 'a fox in the snow, picture 1 of 2').click();
  const box = page.getByRole('dialog', { name: 'Picture' });
  await expectShown(box.getByAltText('a fox in the snow, picture 1 of 2'));
  await page.keyboard.press('ArrowRight');
  await expectShown(box.getByAltText('a fox in the snow, picture 2 of 2'));
  await page.keyboard.press('ArrowRight');
  await expectShown(box.getByAltText('a red boat'));
  await page.keyboard.press('ArrowLeft');
  await expectShown(box.getByAltText('a fox in the snow, picture 2 of 2'));
  page.once('dialog', (dialog) => {
    expect(dialog.message()).toBe('Delete all 2 pictures?');
    void dialog.accept();
  });
  await page.keyboard.press('Delete');
  await expect(page.getByText('2 × a fox in the snow')).toBeHidden();
});

test('what is deleted can be taken back, and is gone when the page is left', async ({ page }) => {
  await painted(page, 'a red boat', 'a fox in the snow', 'a windmill');
  await visit(page, '/gallery');
  await page.getByLabel('Choose “a red boat”').check();
  await page.getByLabel('Choose “a windmill”').check();
  await page.getByRole('button', { name: 'Delete chosen' }).click();
  await expect(page.getByRole('main').getByText('2 deleted.')).toBeVisible();
  await expect(page.getByRole('status')).toHaveText('2 deleted.');
  await expect(link(page, 'a red boat')).toBeHidden();
  await page.getByRole('button', { name: 'Undo' }).click();
  await expect(link(page, 'a red boat')).toBeVisible();
  await page.getByLabel('Choose “a windmill”').uncheck();
  await page.getByRole('button', { name: 'Delete chosen' }).click();
  await expect(page.getByRole('main').getByText('1 deleted.')).toBeVisible();
  await visit(page, '/restore');
  await expect
    .poll(async () => {
      await visit(page, '/gallery');
      return page.locator('[data-shelf] li').count();
    })
    .toBe(2);
  page.once('dialog', (dialog) => void dialog.accept());
  await link(page, 'a windmill').focus();
  await page.keyboard.press('Delete');
  await expect(link(page, 'a windmill')).toBeHidden();
});

test('a page of the gallery that does not come leaves the way to it', async ({ page }) => {
  await painted(page, 'a red boat');
  await page.route('/gallery', async (route) => {
    const response = await route.fetch();
    const way = '</ul><p class="onward"><a href="/gallery?before=0" data-next>Older</a></p>';
    await route.fulfill({ response, body: (await response.text()).replace('</ul>', way) });
  });
  await page.route('/gallery?before=0', (route) => route.fulfill({ status: 503, body: '<p>away</p>' }));
  const asked = page.waitForResponse('/gallery?before=0');
  await visit(page, '/gallery');
  await asked;
  await expect(link(page, 'Older')).toBeVisible();
  await expect(page).toHaveURL('/gallery');
});

test('what could not be deleted hangs again', async ({ page }) => {
  await painted(page, 'a red boat');
  await page.clock.install();
  await visit(page, '/gallery');
  await page.route('/api/jobs/delete', (route) => route.abort());
  await page.getByLabel('Choose “a red boat”').check();
  await page.getByRole('button', { name: 'Delete chosen' }).click();
  await expect(link(page, 'a red boat')).toBeHidden();
  await page.clock.fastForward(11_000);
  await expect(link(page, 'a red boat')).toBeVisible();
  await expect(page.getByRole('alert')).toHaveText('That did not go through. Try again.');
});

test('the chosen ones are saved as one file', async ({ page }) => {
  await painted(page, 'a red boat');
  await visit(page, '/gallery');
  await page.getByLabel('Choose “a red boat”').check();
  const download = page.waitForEvent('download');
  await page.getByRole('button', { name: 'Download chosen' }).click();
  expect((await download).suggestedFilename()).toBe('atelier.zip');
});

