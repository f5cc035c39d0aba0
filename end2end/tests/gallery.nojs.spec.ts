// The gallery without JavaScript.

import { card, expect, expectShown, paint, test } from './fixtures';

test('pictures are searched, saved and deleted', async ({ page }) => {
  await page.goto('/');
  await paint(page, 'a red boat');
  await expectShown(card(page, 'a red boat').getByRole('img'));
  await page.getByRole('link', { name: 'Gallery' }).click();
  await expectShown(page.getByAltText('a red boat'));
  await page.getByLabel('Choose “a red boat”').check();
  const download = page.waitForEvent('download');
  await page.getByRole('button', { name: 'Download chosen' }).click();
  expect((await download).suggestedFilename()).toBe('atelier.zip');
  await page.getByRole('button', { name: 'Delete chosen' }).click();
  await expect(page).toHaveURL(/\/gallery$/);
  await expect(page.getByText('Nothing yet')).toBeVisible();
});

test('pictures are filtered, marked and sorted', async ({ page }) => {
  for (const prompt of ['a red boat', 'a fox in the snow']) {
    await page.goto('/');
    await paint(page, prompt);
    await expectShown(card(page, prompt).getByRole('img'));
  }
  await page.goto('/gallery');
  await page.getByRole('button', { name: '“a red boat” is a favourite' }).click();
  await expect(page.getByRole('button', { name: '“a red boat” is a favourite' })).toHaveAttribute('aria-pressed', 'true');
  await page.getByLabel('Favourites').check();
  await page.getByRole('button', { name: 'Search' }).click();
  await expect(page).toHaveURL(/kind=favourite/);
  await expect(page.locator('[data-shelf] li')).toHaveCount(1);
  await page.getByLabel('Choose “a red boat”').check();
  await page.getByText('Folder', { exact: true }).click();
  await page.getByLabel('Name of the folder').fill('Boats');
  await page.getByRole('button', { name: 'Move', exact: true }).click();
  await expect(page).toHaveURL(/kind=favourite/);
  await page.goto('/gallery');
  await page.getByLabel('Folder', { exact: true }).selectOption('Boats');
  await page.getByRole('button', { name: 'Search' }).click();
  await expect(page).toHaveURL(/folder=Boats/);
  await expect(page.locator('[data-shelf] li')).toHaveCount(1);
  await page.getByLabel('Choose “a red boat”').check();
  await page.getByText('Folder', { exact: true }).click();
  await page.getByRole('button', { name: 'Out of this folder' }).click();
  await expect(page.getByText('No matches.')).toBeVisible();
  await page.getByRole('link', { name: 'Clear' }).click();
  await expect(page.locator('[data-shelf] li')).toHaveCount(2);
});
