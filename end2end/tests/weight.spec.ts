// What pages weigh, and the module that they fetch after they are alive.

import {
  type APIRequestContext, card, discard, expect, expectShown, type Page, paint, type Response, restore, test, visit,
} from './fixtures';

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

/** A large photo with the grain of film. */
async function grainy(page: Page): Promise<{ name: string; mimeType: string; buffer: Buffer }> {
  const encoded = await page.evaluate(() => {
    const sheet = Object.assign(document.createElement('canvas'), { width: 2400, height: 1800 }).getContext('2d')!;
    const pixels = sheet.createImageData(2400, 1800);
    for (let at = 0, seed = 1; at < pixels.data.length; at++) {
      seed = (Math.imul(seed, 1_664_525) + 1_013_904_223) >>> 0;
      pixels.data[at] = at % 4 === 3 ? 255 : 60 + (at / pixels.data.length) * 120 + (seed >>> 27);
    }
    sheet.putImageData(pixels, 0, 0);
    return sheet.canvas.toDataURL('image/jpeg', 0.95).split(',')[1];
  });
  return { name: 'grain.jpg', mimeType: 'image/jpeg', buffer: Buffer.from(encoded, 'base64') };
}

test.describe('on a phone', () => {
  test.use({ viewport: { width: 390, height: 844 }, deviceScaleFactor: 3, isMobile: true, hasTouch: true });

  test('a result takes no more than it shows', async ({ page }) => {
    await visit(page, '/restore');
    await restore(page, await grainy(page));
    const job = card(page, 'A restored photo');
    const [before, after] = [job.getByAltText('The original photo'), job.getByAltText('The photo, restored')];
    await expectShown(after);
    const address = (await job.getByRole('heading').getByRole('link').getAttribute('href'))!;
    // What the card has fetched is fetched again: routes go without the browser's cache.
    await page.route('**/images/**', (route) => route.continue());
    const fetched: { url: string; bytes: number }[] = [];
    const weighAll = async (response: Response) => {
      if (response.url().includes('/images/')) {
        fetched.push({ url: response.url(), bytes: (await response.body()).length });
      }
    };
    page.on('response', weighAll);
    await visit(page, address);
    await expectShown(before);
    await expectShown(after);
    expect(fetched.map(({ url }) => url).filter((url) => !url.includes('?width='))).toEqual([]);
    await expect.poll(() => fetched.length).toBe(2);
    const bytes = fetched.reduce((sum, { bytes }) => sum + bytes, 0);
    expect(bytes).toBeGreaterThan(10_000);
    expect(bytes).toBeLessThanOrEqual(400_000);
    page.off('response', weighAll);
    const whole = page.waitForResponse(/\/images\/[^?]+$/);
    await job.getByLabel('Actual size').check();
    await whole;
  });
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
