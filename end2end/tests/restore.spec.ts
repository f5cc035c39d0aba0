import { card, expect, photo, test } from './fixtures';

test('a photo becomes a restored one, compared by keyboard', async ({ page, studio }) => {
  await page.goto(`${studio.url}/restore`);
  await page.getByLabel('Choose a photo').setInputFiles(photo());
  await expect(page.getByAltText('The photo you chose')).toBeVisible();
  await page.getByLabel('Enlarge').check();
  await page.getByRole('button', { name: 'Restore it' }).click();
  await expect(card(page)).toHaveAttribute('data-status', 'succeeded');
  await expect(card(page).getByAltText('The photo, restored')).toHaveAttribute('width', '240');

  const slider = card(page).getByRole('slider');
  await slider.focus();
  await slider.press('ArrowRight');
  await expect(card(page).locator('output')).toHaveText('Before 51 %');
  await card(page).getByLabel('Side by side').check();
  await expect(slider).toBeHidden();
  await expect(card(page).getByAltText('The photo as it was')).toBeVisible();
});

test('a file of the wrong kind is refused before it is sent', async ({ page, studio }) => {
  await page.goto(`${studio.url}/restore`);
  const letter = { name: 'letter.pdf', mimeType: 'application/pdf', buffer: Buffer.from('%PDF-1.7') };
  await page.getByLabel('Choose a photo').setInputFiles(letter);
  await expect(page.locator('form.desk [data-alert]')).not.toBeEmpty();
});

test('a text that calls itself a photo is refused by the server in words', async ({ page, studio }) => {
  await page.goto(`${studio.url}/restore`);
  const text = { name: 'photo.jpg', mimeType: 'image/jpeg', buffer: Buffer.from('Dear grandmother') };
  await page.getByLabel('Choose a photo').setInputFiles(text);
  const alert = page.locator('form.desk [data-alert]');
  // The browser may notice by itself that it cannot show the file.
  if (await alert.textContent() === '') await page.getByRole('button', { name: 'Restore it' }).click();
  await expect(alert).not.toBeEmpty();
  await expect(page.locator('.jobs .job')).toHaveCount(0);
});
