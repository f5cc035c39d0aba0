// The choice of a model, without JavaScript.

import { expect, photo, test } from './fixtures';

test.use({
  answers: [],
  limits: `limits = []
[studio]
picture_choices = "openai/gpt-image-1"
photo_choices = "local/restorer-1"`,
});

test('a picture by the chosen model', async ({ page }) => {
  await page.goto('/');
  await page.getByLabel('Quality').selectOption('low');
  await expect(page.getByRole('radio', { name: 'gpt-image-2 $0.012', exact: true })).toBeChecked();
  await page.getByRole('radio', { name: /^gpt-image-1 / }).check();
  await page.getByLabel('Prompt').fill('a boat');
  await page.getByRole('button', { name: 'Paint it', exact: true }).click();
  await expect(page).toHaveURL(/\/jobs\//);
  await expect(page.locator('.facts')).toContainText('openai/gpt-image-1');
});

test('a photo by the chosen model, and again by the other', async ({ page }) => {
  await page.goto('/restore');
  await page.getByLabel('Choose a photo').setInputFiles(photo);
  await page.getByRole('radio', { name: /^Built-in restorer / }).check();
  await expect(page.getByText(/stays on this server/)).toBeVisible();
  await page.getByRole('button', { name: 'Restore it', exact: true }).click();
  await expect(page.locator('.facts')).toContainText('Built-in restorer');
  await page.getByText('Adjust', { exact: true }).click();
  await page.locator('.adjust').getByRole('radio', { name: /^gpt-image-2 / }).check();
  await page.getByRole('button', { name: 'Restore again' }).click();
  await expect(page.locator('.facts')).toContainText('openai/gpt-image-2');
});
