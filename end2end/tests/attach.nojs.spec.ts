// Pictures attached to a prompt, without JavaScript.

import { expect, photo, test } from './fixtures';

test.use({ answers: [] });

test('a form with files is sent', async ({ page }) => {
  await page.goto('/');
  await expect(page.getByText('or drop or paste them here')).toBeHidden();
  await page.getByLabel('Attach pictures').setInputFiles(photo);
  await page.getByLabel('Prompt').fill('at night');
  await page.getByRole('button', { name: 'Paint it', exact: true }).click();
  await expect(page).toHaveURL(/\/jobs\//);
  await expect(page.getByAltText('Attached pictures')).toBeVisible();
});

test('a form without files is sent', async ({ page }) => {
  await page.goto('/');
  await page.getByLabel('Prompt').fill('a boat');
  await page.getByRole('button', { name: 'Paint it', exact: true }).click();
  await expect(page).toHaveURL(/\/jobs\//);
});
