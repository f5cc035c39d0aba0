// Both applications from start to finish without JavaScript, by forms and pages alone.

import { card, discard, expect, expectShown, paint, photo, restore, test } from './fixtures';

const ship = 'a ship in a bottle';

test('a prompt becomes a picture', async ({ page }) => {
  await page.goto('/');
  const sent = page.waitForResponse((response) => response.request().method() === 'POST');
  await paint(page, ship);
  expect((await sent).status()).toBe(303);
  await expect(page).toHaveURL(/\/jobs\//);
  await expectShown(page.getByAltText(ship));
  await page.getByRole('button', { name: 'Paint again' }).click();
  await expectShown(page.getByAltText(ship));
  await page.goto('/');
  await expect(page.getByRole('region', { name: 'Recent' }).getByRole('img')).toHaveCount(2);
});

test('of several pictures one is chosen', async ({ page }) => {
  await page.goto('/');
  await page.getByLabel('How many').selectOption('2');
  await paint(page, ship);
  await expectShown(page.getByAltText(`${ship}, picture 2 of 2`));
  await page.getByRole('radio').nth(1).check({ force: true });
  await expect(page.getByRole('link', { name: 'Download' })).toHaveAttribute('href', /picture=2$/);
});

test('a photo is shown beside what it was', async ({ page }) => {
  await page.goto('/restore');
  await restore(page, photo);
  await expect(page).toHaveURL(/\/jobs\//);
  const [before, after] = [page.getByAltText('The original photo'), page.getByAltText('The photo, restored')];
  await expectShown(before);
  await expectShown(after);
  const [left, right] = [await before.boundingBox(), await after.boundingBox()];
  expect(left!.x + left!.width).toBeLessThanOrEqual(right!.x);
  await expect(page.getByRole('slider', { name: 'How much of the original' })).toBeHidden();
  const download = page.waitForEvent('download');
  await page.getByRole('link', { name: 'Download' }).click();
  expect((await download).suggestedFilename()).toBe('photo-restored.jpg');
  const there = page.url();
  await discard(page.locator('.job'), 'Delete now');
  await expect(page).toHaveURL('/restore');
  expect((await page.goto(there))!.status()).toBe(404);
});

test('a prompt of nothing is refused, with a way back', async ({ page }) => {
  await page.goto('/');
  await paint(page, ' ');
  await expect(page.getByRole('heading', { name: 'This cannot be done' })).toBeVisible();
  await page.getByRole('link', { name: 'Back' }).click();
  await expect(page).toHaveURL('/');
});

test('a text that calls itself a photo is refused, with a way back', async ({ page }) => {
  await page.goto('/restore');
  await restore(page, { name: 'poem.jpg', mimeType: 'image/jpeg', buffer: Buffer.from('Roses are red') });
  await expect(page.getByRole('heading', { name: 'The photo cannot be used' })).toBeVisible();
  await page.getByRole('link', { name: 'Back' }).click();
  await expect(page).toHaveURL('/restore');
});

test.describe('a provider that takes its time', () => {
  test.use({ answers: ['hang'] });

  test('the page looks again until the picture is there', async ({ page, openai }) => {
    await page.goto('/');
    await paint(page, ship);
    await expect(card(page, ship)).toContainText('Painting');
    // Playwright finds no texts inside <noscript>.
    await expect(page.locator('noscript p')).toHaveText(/^This page refreshes every two seconds/);
    await expect(page.locator('noscript p')).toBeVisible();
    await expect(page.getByRole('button', { name: 'Cancel' })).toBeHidden();
    await page.waitForEvent('load');
    await expect(card(page, ship)).toContainText('Painting');
    openai.release();
    await expectShown(page.getByAltText(ship));
  });
});

test.describe('a provider that refuses', () => {
  test.use({ answers: ['broke'] });

  test('the page says why, and leads back to the words', async ({ page }) => {
    await page.goto('/');
    await paint(page, ship);
    await expect(card(page, ship).getByRole('alert')).toHaveText(/run out of credit/);
    await page.getByRole('link', { name: 'Edit prompt' }).click();
    await expect(page.getByLabel('Prompt')).toHaveValue(ship);
  });
});
