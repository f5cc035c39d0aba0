// Browsers that have scripts and in which the pages do not come alive all the same: they are pages without scripts then.

import { card, discard, expect, expectShown, paint, type Page, photo, restore, test, visit } from './fixtures';

const fox = 'a red fox in the snow';

const reasons: Record<string, (page: Page) => Promise<unknown>> = {
  'the WASM is blocked': (page) => page.route('**/*.wasm', (route) => route.abort()),
  'the WASM is cut': (page) =>
    page.route('**/*.wasm', async (route) => {
      // The page may be gone by then.
      const body = await (await route.fetch()).body().catch(() => Buffer.alloc(0));
      await route.fulfill({ contentType: 'application/wasm', body: body.subarray(0, body.length / 2) });
    }),
  'the JavaScript is blocked': (page) => page.route('**/assets/*.js', (route) => route.abort()),
  'the JavaScript is cut': (page) =>
    page.route('**/assets/*.js', async (route) => {
      const body = await (await route.fetch()).text().catch(() => '');
      await route.fulfill({ contentType: 'text/javascript', body: body.slice(0, body.length / 2) });
    }),
  'the files have other names by now': (page) =>
    page.route('**/assets/frontend.*', (route) => route.fulfill({ status: 404, body: '{}' })),
  'the browser has no WebAssembly': (page) =>
    page.addInitScript(() => Reflect.deleteProperty(globalThis, 'WebAssembly')),
  'the browser has no custom elements': (page) =>
    page.addInitScript(() => Object.defineProperty(globalThis, 'customElements', { value: undefined })),
  'the browser cannot read the script': (page) => rewritten(page, (html) => html.replace('import(', 'import @ (')),
};

/** Has every page come otherwise. */
async function rewritten(page: Page, how: (html: string) => string): Promise<void> {
  await page.route('**/*', async (route) => {
    if (route.request().resourceType() !== 'document' || route.request().method() !== 'GET') return route.fallback();
    const response = await route.fetch({ maxRedirects: 0 });
    if (response.status() !== 200) return route.fulfill({ response });
    await route.fulfill({ response, body: how(await response.text()) });
  });
}

async function expectPlain(page: Page): Promise<void> {
  await expect(page.locator('html.js')).toHaveCount(0);
  await expect(page.getByRole('button', { name: 'Shortcuts' })).toBeHidden();
}

test.describe('a page that does not come alive', () => {
  test.use({ answers: ['hang', 'picture', 'picture'], wanted: /SyntaxError|reading 'define'/ });

  for (const [reason, arrange] of Object.entries(reasons)) {
    test(`works without scripts when ${reason}`, async ({ page, openai }) => {
      await arrange(page);
      await page.goto('/');
      await expectPlain(page);
      await paint(page, fox);
      await expect(page).toHaveURL(/\/jobs\//);
      // Playwright changes no page that another leads to.
      await page.reload();
      await expectPlain(page);
      await expect(card(page, fox)).toContainText('Painting');
      await expect(page.getByText(/^This page refreshes/)).toBeVisible();
      await expect(page.getByRole('button', { name: 'Cancel' })).toBeHidden();
      openai.release();
      await expectShown(page.getByAltText(fox));
      await page.getByRole('button', { name: 'Paint again' }).click();
      await expectShown(page.getByAltText(fox));
      await page.goto('/restore');
      await restore(page, photo);
      await expectShown(page.getByAltText('The photo, restored'));
      await page.reload();
      await expectShown(page.getByAltText('The photo, restored'));
      await expect(page.locator('.part input')).toBeHidden();
      await page.goto('/gallery');
      await expectPlain(page);
      await page.getByLabel(`Choose “${fox}”`).first().check();
      await page.getByRole('button', { name: 'Delete chosen' }).click();
      await expect(page.getByAltText(fox)).toHaveCount(1);
    });
  }

  test('is plain once it has been waited for long enough', async ({ page }) => {
    await page.clock.install();
    await page.route('**/*.wasm', () => {});
    await page.goto('/');
    await page.clock.runFor(2_000);
    await expect(page.locator('html.js')).toHaveCount(1);
    await page.clock.runFor(8_000);
    await expectPlain(page);
  });

  test('looks again at what is under way, but throws nothing away', async ({ page, openai }) => {
    await page.route('**/*.wasm', (route) => route.abort());
    await page.goto('/');
    await paint(page, fox);
    await expect.poll(() => openai.waiting()).toBe(1);
    await page.clock.install();
    await page.goto('/');
    await expectPlain(page);
    await expect(card(page, fox)).toContainText('Painting');
    await page.getByLabel('Prompt').pressSequentially('half a');
    await page.clock.runFor(10_000);
    await expect(page.getByLabel('Prompt')).toHaveValue('half a');
    openai.release();
    await page.goto('/');
    await expectShown(page.getByRole('region', { name: 'Recent' }).getByAltText(fox));
  });

  test('shows what has been finished meanwhile', async ({ page, openai }) => {
    await page.route('**/*.wasm', (route) => route.abort());
    await page.goto('/');
    await paint(page, fox);
    await expect.poll(() => openai.waiting()).toBe(1);
    await page.goto('/');
    await expect(card(page, fox)).toContainText('Painting');
    openai.release();
    await expectShown(page.getByRole('region', { name: 'Recent' }).getByAltText(fox));
  });
});

test('a page that is open while the files get other names goes on', async ({ page }) => {
  await visit(page, '/');
  await page.route('**/assets/*', (route) => route.fulfill({ status: 404, body: '{}' }));
  await paint(page, fox);
  await expectShown(card(page, fox).getByAltText(fox));
  await expect(page).toHaveURL('/');
  await discard(card(page, fox));
  await expect(page.getByRole('button', { name: 'Undo' })).toBeFocused();
});
