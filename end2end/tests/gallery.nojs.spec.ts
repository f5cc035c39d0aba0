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
