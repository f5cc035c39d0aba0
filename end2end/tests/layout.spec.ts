// The pages fit on a phone whatever fonts it has: this file runs with wide ones and with narrow ones.

import { address, card, expect, expectShown, paint, type Page, photo, restore, test, visit } from './fixtures';

const endless = 'very'.repeat(40);

/** Nothing has to be scrolled sideways, with everything open that can be opened. */
async function expectToFit(page: Page, what: string): Promise<void> {
  await page.locator('details').evaluateAll((folds) => folds.forEach((fold) => (fold.open = true)));
  const over = await page.evaluate(() => {
    const width = document.documentElement.clientWidth;
    const wide = [...document.querySelectorAll('main *, header *, footer *, dialog[open] *')].filter((element) => {
      const { right, width: own } = element.getBoundingClientRect();
      return own > 1 && right > width + 0.5 && element.checkVisibility();
    });
    return { by: document.documentElement.scrollWidth - width, at: wide.map((e) => e.outerHTML.slice(0, 120)) };
  });
  expect(over, what).toEqual({ by: 0, at: [] });
}

test.use({ answers: ['picture', 'unsafe', 'picture', 'picture', 'hang'] });

test('nothing has to be scrolled sideways on a phone', async ({ page }) => {
  test.slow();
  const long = `a house ${endless} small`;
  await visit(page, '/');
  for (const words of [long, `refused ${endless}`]) await paint(page, words);
  await expectShown(card(page, long).getByRole('img'));
  await expect(card(page, `refused ${endless}`).getByRole('alert')).toBeVisible();
  const job = await address(page, long);
  await page.getByLabel('How many').selectOption('4');
  await paint(page, 'four');
  await expect(card(page, 'four').getByRole('img').first()).toBeVisible();
  const four = await address(page, 'four');
  await visit(page, '/restore');
  await restore(page, photo);
  await expectShown(card(page, 'A restored photo').getByAltText('The photo, restored'));
  const restored = await address(page, 'A restored photo');
  await visit(page, '/');
  await paint(page, 'under way');
  const stage = card(page, 'under way').getByText('Painting', { exact: true });
  await expect(stage).toBeVisible();
  const { width, height } = (await stage.boundingBox())!;
  expect(width, 'it is written in one line').toBeGreaterThan(height);
  for (const width of [320, 390]) {
    await page.setViewportSize({ width, height: 700 });
    for (const language of ['de', 'he', 'en']) {
      await visit(page, `/nowhere?lang=${language}`);
      await expect(page.locator('html')).toHaveAttribute('lang', language);
      for (const path of ['/', '/restore', '/gallery', `/gallery?q=${endless}`, job, four, restored, '/nowhere']) {
        await visit(page, path);
        await expectToFit(page, `${path} in ${language} at ${width} px`);
      }
      await page.keyboard.press('?');
      await expectToFit(page, `the keys in ${language} at ${width} px`);
    }
  }
});

test('refused files with long names fit on a phone', async ({ page }) => {
  await page.setViewportSize({ width: 320, height: 700 });
  await visit(page, '/restore');
  const file = (name: string, mimeType: string) => ({ name, mimeType, buffer: Buffer.from('?') });
  const chosen = page.getByLabel('Choose a photo');
  await chosen.setInputFiles([file(`${endless}1.pdf`, 'application/pdf'), file(`${endless}2.pdf`, 'application/pdf')]);
  await expect(page.locator('form.desk').getByRole('alert')).toContainText(`${endless}2.pdf`);
  await expectToFit(page, 'refused before they travel');
  await chosen.setInputFiles([file(`${endless}1.jpg`, 'image/jpeg'), file(`${endless}2.jpg`, 'image/jpeg')]);
  await expectToFit(page, 'chosen');
  await page.getByRole('button', { name: 'Restore it' }).click();
  await expect(page.locator('form.desk').getByRole('alert')).toContainText(`${endless}2.jpg`);
  await expectToFit(page, 'refused by the studio');
});

test('what a gallery has open fits on a phone', async ({ page }) => {
  await visit(page, '/');
  await paint(page, `a boat ${endless}`);
  await expectShown(card(page, `a boat ${endless}`).getByRole('img'));
  await page.setViewportSize({ width: 320, height: 700 });
  for (const language of ['de', 'he', 'en']) {
    await page.goto(`/gallery?lang=${language}`);
    await visit(page, '/gallery');
    await page.getByRole('checkbox').first().check();
    await expectToFit(page, `chosen in ${language}`);
    await page.locator('[data-delete]').click();
    await expect(page.locator('[data-toast]')).toBeVisible();
    await expectToFit(page, `deleted in ${language}`);
    await page.locator('[data-undo]').click();
    await page.locator('[data-shelf] li a').click();
    await expectShown(page.locator('[data-large]'));
    await expectToFit(page, `open in ${language}`);
  }
});
