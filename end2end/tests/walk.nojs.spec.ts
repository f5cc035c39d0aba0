import { expect, expectPicture, paint, photo, test } from './fixtures';

test('a prompt becomes a picture without a script', async ({ page, studio }) => {
  await page.goto(studio.url);
  await paint(page, 'a mill by a river');
  await expect(page).toHaveURL(/\/jobs\/[0-9a-f]+$/);
  await expectPicture(page, 'a mill by a river');
  await page.getByRole('button', { name: 'Paint again' }).click();
  await expectPicture(page, 'a mill by a river');
});

test('a photo becomes a restored one without a script', async ({ page, studio }) => {
  await page.goto(`${studio.url}/restore`);
  await page.getByLabel('Choose a photo').setInputFiles(photo());
  await page.getByRole('button', { name: 'Restore it' }).click();
  await expect(page.getByAltText('The photo, restored')).toBeVisible();
  await expect(page.getByAltText('The photo as it was')).toBeVisible();
  await expect(page.getByRole('link', { name: 'Download' })).toBeVisible();
});

test('a refused photo is told on a page with a way back', async ({ page, studio }) => {
  await page.goto(`${studio.url}/restore`);
  const text = { name: 'photo.jpg', mimeType: 'image/jpeg', buffer: Buffer.from('Dear grandmother') };
  await page.getByLabel('Choose a photo').setInputFiles(text);
  await page.getByRole('button', { name: 'Restore it' }).click();
  await expect(page.getByText('This is a text file')).toBeVisible();
  await expect(page.locator('main a[href="/restore"]').first()).toBeVisible();
});

test('a failed job says so and what can be done', async ({ page, start, provider }) => {
  provider.script.push({ status: 429, code: 'credit_balance_exhausted' });
  const studio = await start({ environment: provider.environment });
  await page.goto(studio.url);
  await paint(page, 'a castle');
  await expect(page.getByRole('alert')).toContainText('run out of credit');
  await expect(page.getByRole('link', { name: 'Change the words' })).toBeVisible();
});

test('a job that does not exist is not found', async ({ page, studio }) => {
  const response = await page.goto(`${studio.url}/jobs/0190`);
  expect(response?.status()).toBe(404);
  await expect(page.getByRole('heading', { level: 1 })).toBeVisible();
});
