// In other languages, as the browser prefers them: German, and Hebrew from right to left.

import { card, expect, expectShown, photo, test, visit } from './fixtures';

test.describe('German', () => {
  test.use({ locale: 'de-DE' });

  test('a picture is painted and a photo restored in German', async ({ page }) => {
    await visit(page, '/');
    await expect(page.locator('html')).toHaveAttribute('lang', 'de');
    await page.getByLabel('Beschreibung').fill('a red fox');
    await page.getByLabel('Tusche', { exact: true }).check();
    await page.getByRole('button', { name: 'Malen', exact: true }).click();
    const job = card(page, 'a red fox');
    await expectShown(job.getByAltText('a red fox'));
    await expect(page.getByRole('status')).toHaveText('Das Bild ist fertig: a red fox');
    await expect(job.getByRole('link', { name: 'Herunterladen' })).toBeVisible();
    await expect(job).toContainText('Tusche');

    await visit(page, '/restore');
    const choice = page.getByLabel('Foto wählen');
    await choice.setInputFiles({ name: 'notes.txt', mimeType: 'text/plain', buffer: Buffer.from('?') });
    await expect(page.getByRole('alert')).toHaveText(/kein Foto, das wir lesen können/);
    await choice.setInputFiles({ name: 'a.jpg', mimeType: 'image/jpeg', buffer: Buffer.from('no photo') });
    await page.getByRole('button', { name: 'Restaurieren', exact: true }).click();
    await expect(page.getByRole('alert')).toHaveText(/^Die Datei ist kein Foto/);
    await choice.setInputFiles(photo);
    await page.getByRole('button', { name: 'Restaurieren', exact: true }).click();
    await expectShown(card(page, 'Ein restauriertes Foto').getByAltText('Das Foto, restauriert'));
  });

  test('the language is changed where one is, and stays', async ({ page }) => {
    await page.goto('/gallery?q=boat');
    await page.getByRole('link', { name: 'English' }).click();
    await expect(page).toHaveURL('/gallery?q=boat');
    await expect(page.getByText('No matches.')).toBeVisible();
    await page.goto('/restore');
    await expect(page.getByRole('heading', { name: 'Restore old photos' })).toBeVisible();
    await page.getByRole('link', { name: 'Deutsch' }).click();
    await expect(page.getByRole('heading', { name: 'Alte Fotos restaurieren' })).toBeVisible();
  });
});

test.describe('Hebrew', () => {
  test.use({ locale: 'he-IL' });

  test('a picture is painted from right to left, and its words keep their own direction', async ({ page }) => {
    await visit(page, '/');
    await expect(page.locator('html')).toHaveAttribute('dir', 'rtl');
    await expect(page.locator('html')).toHaveAttribute('lang', 'he');
    const prompt = page.getByLabel('תיאור', { exact: true });
    await prompt.fill('a red fox');
    await expect(prompt).toHaveCSS('direction', 'ltr');
    await page.getByRole('button', { name: 'לצייר', exact: true }).click();
    const job = card(page, 'a red fox');
    await expectShown(job.getByAltText('a red fox'));
    await expect(page.getByRole('status')).toHaveText('התמונה מוכנה: a red fox');
    const [picture, words] = [await job.getByRole('img').boundingBox(), await job.getByRole('heading').boundingBox()];
    expect(picture!.x, 'the picture comes first, on the right').toBeGreaterThan(words!.x);
  });

  test('a photo is compared, before on the left as in every language', async ({ page }) => {
    await visit(page, '/restore');
    await page.getByLabel('בחירת תצלום').setInputFiles(photo);
    await page.getByRole('button', { name: 'לשחזר', exact: true }).click();
    const job = card(page, 'תצלום משוחזר');
    await expectShown(job.getByAltText('התצלום לאחר השחזור'));
    const slider = job.locator('.part input');
    await slider.focus();
    await page.keyboard.press('ArrowRight');
    await expect(slider).toHaveValue('51');
  });
});
