// What holds for every page: everybody can use it, and no address is a dead end.

import AxeBuilder from '@axe-core/playwright';
import { address, card, expect, expectShown, paint, type Page, photo, restore, test, visit } from './fixtures';

test('an address where nothing is leads on', async ({ page }) => {
  for (const [path, heading] of [
    ['/nowhere', 'Page not found'],
    ['/jobs/nothing', 'This picture is no longer here'],
  ] as const) {
    const response = await page.goto(path);
    expect(response?.status()).toBe(404);
    await expect(page.getByRole('heading', { name: heading })).toBeVisible();
    await page.getByRole('main').getByRole('link').click();
    await expect(page).toHaveURL('/');
  }
});

test('a page trusts only scripts that it brings itself', async ({ page }) => {
  const policies = [];
  for (const path of ['/', '/restore', '/gallery', '/nowhere']) {
    // Only asked for: a page that is left while it wakes up would complain.
    const response = await page.request.get(path, { headers: { accept: 'text/html' } });
    policies.push(response.headers()['content-security-policy'] ?? '');
  }
  for (const policy of policies) {
    expect(policy).toMatch(/^default-src 'self'; script-src 'nonce-[^']+' 'strict-dynamic'/);
    expect(policy).not.toContain('unsafe-inline');
  }
  expect(new Set(policies).size, 'a nonce is used once').toBe(policies.length);
});

for (const colorScheme of ['light', 'dark'] as const) {
  test.describe(colorScheme, () => {
    test.use({
      colorScheme,
      // axe puts its own script into the page.
      bypassCSP: true,
      contextOptions: { reducedMotion: 'reduce' },
      answers: ['picture', 'unsafe', 'picture', 'hang'],
    });

    test('pages and states have no barriers', async ({ page }) => {
      await visit(page, '/gallery');
      await expectNoBarriers(page);
      await visit(page, '/');
      for (const prompt of ['finished', 'refused']) await paint(page, prompt);
      await expectShown(card(page, 'finished').getByRole('img'));
      await expect(card(page, 'refused').getByRole('alert')).toBeVisible();
      for (const fold of ['Edit', 'More']) await page.getByText(fold, { exact: true }).click();
      const finished = await address(page, 'finished');
      await expectNoBarriers(page);
      await visit(page, '/restore');
      await page.getByLabel('Choose a photo').setInputFiles(photo);
      await page.getByLabel('Repair only what I paint over').check();
      await expectNoBarriers(page);
      await visit(page, '/restore');
      await restore(page, photo);
      await expectShown(card(page, 'A restored photo').getByAltText('The photo, restored'));
      await expectNoBarriers(page);
      await visit(page, '/');
      await paint(page, 'under way');
      await expect(card(page, 'under way')).toContainText('Painting');
      await expectNoBarriers(page);
      for (const path of [await address(page, 'under way'), '/nowhere']) {
        await page.goto(path);
        await expectNoBarriers(page);
      }
      await visit(page, '/');
      await card(page, 'under way').getByRole('button', { name: 'Cancel' }).click();
      await expect(card(page, 'under way')).toContainText('Cancelled');
      await expectNoBarriers(page);
      await visit(page, '/gallery');
      await page.getByLabel('Choose “finished”').check();
      await expectNoBarriers(page);
      await page.getByRole('link', { name: 'finished' }).click();
      await expectShown(page.getByRole('dialog').getByAltText('finished'));
      await expectNoBarriers(page);
      await page.keyboard.press('Escape');
      await page.locator('body').press('?');
      await expect(page.getByRole('dialog', { name: 'Shortcuts' })).toBeVisible();
      await expectNoBarriers(page);
      await page.goto('/?lang=de');
      for (const path of ['/', '/restore', '/gallery', finished]) {
        await page.goto(path);
        await expectNoBarriers(page);
      }
      await page.context().clearCookies();
      await visit(page, finished);
      await expectNoBarriers(page);
    });
  });
}

async function expectNoBarriers(page: Page): Promise<void> {
  const { violations } = await new AxeBuilder({ page }).analyze();
  const told = violations.map(({ id, nodes }) => `${id}: ${nodes.map(({ html }) => html).join(' ')}`);
  expect(told, page.url()).toEqual([]);
}
