// The first screen without JavaScript.

import { card, expect, expectShown, test } from './fixtures';

test('an example is a link that fills in its words and its style', async ({ page }) => {
  await page.goto('/');
  await page.getByRole('link', { name: /^a lighthouse by the sea.*Oil$/ }).click();
  await expect(page.getByLabel('Prompt')).toHaveValue(/^a lighthouse by the sea/);
  await expect(page.getByLabel('Oil', { exact: true })).toBeChecked();
});

test('a sample is a form', async ({ page }) => {
  await page.goto('/restore');
  await expect(page.getByRole('slider', { name: 'How much of the' })).toBeHidden();
  await expectShown(page.getByAltText('That photo restored'));
  await page.getByRole('button', { name: 'Coffee' }).click();
  await expect(page).toHaveURL(/\/jobs\//);
  await expectShown(card(page, 'A restored photo').getByAltText('The photo, restored'));
});
