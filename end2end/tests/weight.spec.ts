// What pages weigh, and the module that they fetch after they are alive.

import { type APIRequestContext, card, discard, expect, expectShown, paint, test, visit } from './fixtures';

const later = /\/assets\/later\./;

/** The bytes as they travel, of the assets that a page names. */
async function weigh(request: APIRequestContext, path: string) {
  const html = await (await request.get(path)).text();
  const bytes = { first: 0, later: 0 };
  for (const asset of new Set(html.match(/\/assets\/[\w.-]+/g))) {
    const sent = await request.head(asset, { headers: { 'accept-encoding': 'br' } });
    expect(sent.headers()['content-encoding']).toBe('br');
    bytes[later.test(asset) ? 'later' : 'first'] += Number(sent.headers()['content-length']);
  }
  return bytes;
}

test('no page weighs more than it may', async ({ request }) => {
  for (const path of ['/', '/restore', '/gallery']) {
    const { first, later } = await weigh(request, path);
    expect(first, path).toBeGreaterThan(10_000);
    expect(first, path).toBeLessThanOrEqual(65_536);
    expect(later, path).toBeGreaterThan(1_000);
    expect(later, path).toBeLessThanOrEqual(24_576);
  }
});

test('headings are set in a typeface that comes along, and nothing else is fetched', async ({ page, request }) => {
  const link = (await request.get('/')).headers()['link'];
  const font = /<([^>]+)>; rel=preload; as=font/.exec(link)![1];
  expect((await (await request.get(font)).body()).length).toBeLessThanOrEqual(20_480);
  const fonts: string[] = [];
  page.on('request', (sent) => sent.resourceType() === 'font' && fonts.push(new URL(sent.url()).pathname));
  await visit(page, '/');
  await page.evaluate(() => document.fonts.ready);
  expect(await page.evaluate(() => document.fonts.check('1rem Atelier'))).toBe(true);
  expect(fonts).toEqual([font]);
});

test('the second module comes by itself once the page is alive', async ({ page }) => {
  const fetched = page.waitForResponse(/later\.\w+\.wasm/);
  await visit(page, '/');
  expect((await fetched).ok()).toBe(true);
});

test('a click that comes before the second module waits for it', async ({ page }) => {
  let release = () => {};
  const held = new Promise<void>((go) => (release = go));
  await page.route(later, async (route) => {
    await held;
    await route.continue();
  });
  await visit(page, '/');
  await page.getByRole('button', { name: 'Shortcuts' }).click();
  const sheet = page.locator('dialog[open]');
  await expect(sheet).toHaveCount(0);
  release();
  await expect(sheet).toBeVisible();
});

test.describe('without the second module', () => {
  test.use({ wanted: /later|Failed to fetch/ });

  test('a page works by its links and forms', async ({ page }) => {
    await page.route(later, (route) => route.abort());
    await visit(page, '/');
    await paint(page, 'a red boat');
    await expectShown(card(page, 'a red boat').getByRole('img'));
    await expect(page.getByRole('button', { name: 'Shortcuts' })).toBeHidden();
    await discard(card(page, 'a red boat'));
    await expect(page).toHaveURL('/gallery');
  });
});
