import AxeBuilder from '@axe-core/playwright';
import { card, expect, paint, test } from './fixtures';

test('nothing scrolls sideways on a phone', async ({ page, studio }) => {
  await page.goto(studio.url);
  await paint(page, 'a very-long-word-that-nobody-would-ever-break-into-pieces-by-themselves-but-a-browser-must');
  await expect(card(page)).toHaveAttribute('data-status', 'succeeded');
  const job = `/jobs/${await card(page).getAttribute('data-id')}`;
  for (const width of [320, 390]) {
    await page.setViewportSize({ width, height: 800 });
    for (const path of ['/', '/restore', job, '/nowhere']) {
      await page.goto(studio.url + path);
      const wide = await page.evaluate(() => document.documentElement.scrollWidth);
      expect(wide, `${path} at ${width}`).toBeLessThanOrEqual(width);
    }
  }
});

for (const colorScheme of ['light', 'dark'] as const) {
  test(`everyone can use the pages, ${colorScheme}`, async ({ browser, start, provider }) => {
    provider.script.push({ status: 400, code: 'moderation_blocked' });
    const studio = await start({ environment: provider.environment });
    // The checker is a script of its own, which the site's policy would refuse.
    const context = await browser.newContext({ bypassCSP: true, colorScheme, reducedMotion: 'reduce' });
    const page = await context.newPage();
    const check = async (name: string) => {
      const { violations } = await new AxeBuilder({ page }).analyze();
      expect(violations.map(found => found.id), name).toEqual([]);
    };
    await page.goto(`${studio.url}/restore`);
    await check('restore');
    await page.goto(studio.url);
    await check('art');
    await paint(page, 'refused');
    await expect(card(page)).toHaveAttribute('data-status', 'failed');
    await check('a failed job');
    await page.goto(`${studio.url}/nowhere`);
    await check('not found');
    await context.close();
  });
}

test('pages carry a strict policy and load nothing from elsewhere', async ({ page, studio }) => {
  const foreign: string[] = [];
  page.on('request', request => {
    if (!request.url().startsWith(studio.url) && !/^(blob|data):/.test(request.url())) foreign.push(request.url());
  });
  const response = await page.goto(studio.url);
  const policy = response?.headers()['content-security-policy'] ?? '';
  expect(policy).toContain("default-src 'self'");
  expect(policy).not.toContain('unsafe-inline');
  await paint(page, 'a hill');
  await expect(card(page)).toHaveAttribute('data-status', 'succeeded');
  expect(foreign).toEqual([]);
});
