// Finding pictures in the gallery: filters, pages, how many are chosen, favourites and folders.

import { card, expect, expectShown, type Page, paint, test, visit } from './fixtures';

async function painted(page: Page, ...prompts: string[]): Promise<void> {
  await visit(page, '/');
  for (const prompt of prompts) {
    await paint(page, prompt);
    await expectShown(card(page, prompt).getByRole('img'));
  }
  await visit(page, '/gallery');
}

const entries = (page: Page) => page.locator('[data-shelf] li:visible');

/** Makes so many pictures as fast as it goes, the last one first in the gallery. */
async function made(page: Page, prompts: string[], order: object = {}): Promise<void> {
  await visit(page, '/');
  for (const prompt of prompts) {
    const { id } = await (await page.request.post('/api/images', { data: { prompt, ...order } })).json();
    const status = async () => (await (await page.request.get(`/api/jobs/${id}`)).json()).status;
    await expect.poll(status).toBe('succeeded');
  }
}

test('filters apply at once', async ({ page }) => {
  await painted(page, 'a red boat', 'a fox in the snow');
  await expect(page.getByRole('button', { name: 'Search' })).toBeHidden();
  await page.getByRole('searchbox').pressSequentially('SNÓ');
  await expect(entries(page)).toHaveCount(1);
  await expect(page).toHaveURL('/gallery?q=SN%C3%93');
  await expect(page.getByRole('status')).toHaveText('1 found.');
  await expect(page.getByRole('searchbox')).toBeFocused();
  await page.getByLabel('Photos', { exact: true }).check();
  await expect(page.getByRole('main').getByText('No matches.')).toBeVisible();
  await expect(page).toHaveURL('/gallery?q=SN%C3%93&kind=restoration');
  await expect(page.getByRole('status')).toHaveText('No matches.');
  await expect(page.getByLabel('Photos', { exact: true })).toBeFocused();
  await page.reload();
  await expect(page.getByRole('main').getByText('No matches.')).toBeVisible();
  await page.getByRole('link', { name: 'Clear' }).click();
  await expect(page).toHaveURL('/gallery');
  await expect(entries(page)).toHaveCount(2);
  await expect(page.getByRole('searchbox')).toHaveValue('');
});

test('a search that does not come leaves what is there', async ({ page }) => {
  await painted(page, 'a red boat');
  await page.route(/q=boat/, (route) => route.abort());
  await page.getByRole('searchbox').fill('boat');
  await expect(page.getByRole('alert')).toHaveText(/Try again/);
  await expect(entries(page)).toHaveCount(1);
  await page.unroute(/q=boat/);
  await page.keyboard.press('Enter');
  await expect(page).toHaveURL('/gallery?q=boat');
  await expect(page.locator('[data-alert]')).toBeEmpty();
});

test('what is being deleted is not found again', async ({ page }) => {
  await painted(page, 'a red boat', 'a blue boat');
  await page.getByLabel('Choose “a red boat”').check();
  await page.getByRole('button', { name: 'Delete chosen' }).click();
  await expect(entries(page)).toHaveCount(1);
  await page.getByRole('searchbox').fill('boat');
  await expect(page).toHaveURL('/gallery?q=boat');
  await expect(entries(page)).toHaveCount(1);
  await page.getByRole('button', { name: 'Undo' }).click();
  await expect(entries(page)).toHaveCount(2);
});

test.describe('with a quick model', () => {
  test.use({ answers: [] });

  test('the address is that of the page in view', async ({ page }) => {
    test.slow();
    await page.setViewportSize({ width: 390, height: 700 });
    await made(page, Array.from({ length: 30 }, (_, number) => `boat ${number + 1}`));
    await visit(page, '/gallery');
    await page.getByText('boat 7', { exact: true }).scrollIntoViewIfNeeded();
    await expect(entries(page)).toHaveCount(30);
    await expect(page).toHaveURL(/before=/);
    await page.evaluate(() => scrollTo(0, 0));
    await expect(page).toHaveURL('/gallery');
    await page.mouse.wheel(0, 100_000);
    await expect(page).toHaveURL(/before=/);
    await page.reload();
    await expect(entries(page)).toHaveCount(6);
    await page.getByRole('link', { name: 'Back to the newest' }).click();
    await expect(page).toHaveURL('/gallery');
  });

  test('all are chosen at once, and counted', async ({ page }) => {
    test.slow();
    await made(page, Array.from({ length: 26 }, (_, number) => `boat ${number + 1}`));
    await visit(page, '/gallery');
    const all = page.getByLabel('Choose all');
    await all.check();
    await expect(page.getByText(/^2[46] chosen$/)).toBeVisible();
    await page.mouse.wheel(0, 100_000);
    await expect(entries(page)).toHaveCount(26);
    await page.getByLabel('Choose “boat 26”').uncheck();
    await expect(all).not.toBeChecked();
    await expect.poll(() => all.evaluate((tick: HTMLInputElement) => tick.indeterminate)).toBe(true);
    await all.check();
    await expect(page.getByText('26 chosen')).toBeVisible();
    await page.getByRole('button', { name: 'Delete chosen' }).click();
    await expect(page.getByRole('status')).toHaveText('26 deleted.');
    await expect(entries(page)).toHaveCount(0);
    await page.getByRole('button', { name: 'Undo' }).click();
    await all.uncheck();
    await expect(page.getByRole('button', { name: 'Delete chosen' })).toBeHidden();
  });

  test('rows fill the width, with pictures of one height', async ({ page }) => {
    test.slow();
    const sizes = ['1024x1024', '1536x1024', '1024x1536'];
    for (let number = 0; number < 15; number++) await made(page, [`boat ${number}`], { size: sizes[number % 3] });
    for (const width of [1280, 390]) {
      await page.setViewportSize({ width, height: 800 });
      await visit(page, '/gallery');
      const rows = await page.locator('.hung').evaluateAll((frames) => {
        const rows = new Map<number, { right: number; heights: number[] }>();
        for (const { top, right, height } of frames.map((frame) => frame.getBoundingClientRect())) {
          const row = rows.get(Math.round(top)) ?? { right, heights: [] };
          row.right = right;
          row.heights.push(height);
          rows.set(Math.round(top), row);
        }
        return [...rows.values()];
      });
      const edge = await page.locator('.hanging').evaluate((list) => list.getBoundingClientRect().right);
      expect(rows.length).toBeGreaterThan(1);
      for (const { right, heights } of rows.slice(0, -1)) {
        expect(Math.abs(right - edge)).toBeLessThan(1);
        expect(Math.max(...heights) - Math.min(...heights)).toBeLessThan(1);
      }
    }
  });
});

test('favourites are marked with a star', async ({ page }) => {
  await painted(page, 'a red boat', 'a fox in the snow');
  const star = page.getByRole('button', { name: '“a red boat” is a favourite' });
  await star.click();
  await expect(star).toHaveAttribute('aria-pressed', 'true');
  await expect(page).toHaveURL('/gallery');
  await page.getByLabel('Favourites').check();
  await expect(entries(page)).toHaveCount(1);
  await page.reload();
  await expect(star).toHaveAttribute('aria-pressed', 'true');
  await page.route('/api/jobs/mark?*', (route) => route.abort());
  await star.click();
  await expect(page.getByRole('alert')).toHaveText(/Try again/);
  await expect(star).toHaveAttribute('aria-pressed', 'true');
  await page.unroute('/api/jobs/mark?*');
  await star.click();
  await expect(star).toHaveAttribute('aria-pressed', 'false');
  await page.reload();
  await expect(page.getByRole('main').getByText('No matches.')).toBeVisible();
});

test('several are moved into a folder', async ({ page }) => {
  await painted(page, 'a red boat', 'a fox in the snow', 'a windmill');
  await page.getByLabel('Choose “a red boat”').check();
  await page.getByLabel('Choose “a windmill”').check();
  await page.getByText('Folder', { exact: true }).click();
  await page.getByLabel('Name of the folder').fill('Summer "2026"');
  await page.keyboard.press('Enter');
  const folders = page.getByRole('combobox', { name: 'Folder', exact: true });
  await expect(folders).toBeVisible();
  await visit(page, '/gallery');
  await folders.selectOption('Summer "2026"');
  await expect(entries(page)).toHaveCount(2);
  await expect(page).toHaveURL(/\/gallery\?folder=Summer(\+|%20)%222026%22$/);
});
