// Nothing is lost: drafts, words that an idea replaces, uploads that a connection breaks; and who looks elsewhere is told.

import { readFileSync } from 'node:fs';
import { address, card, expect, expectShown, paint, type Page, photo, restore, test, visit } from './fixtures';

const prompt = (page: Page) => page.locator('#prompt');

test('a draft belongs to its owner, and a link comes first', async ({ page }) => {
  await visit(page, '/');
  await paint(page, 'a windmill');
  await expectShown(card(page, 'a windmill').getByRole('img'));
  const job = (await address(page, 'a windmill')).replace('/jobs/', '');
  await prompt(page).fill('half a sentence');
  await page.getByLabel('Wide', { exact: true }).check();
  await visit(page, `/?from=${job}`);
  await expect(prompt(page)).toHaveValue('a windmill');
  await visit(page, '/');
  await expect(prompt(page)).toHaveValue('half a sentence');
  await visit(page, `/?from=${job}`);
  await prompt(page).fill('a windmill in the evening');
  await page.reload();
  await expect(prompt(page)).toHaveValue('a windmill in the evening');
  await visit(page, `/?from=${job}`);
  await expect(prompt(page), 'the link again').toHaveValue('a windmill');
  await visit(page, '/');
  await expect(prompt(page)).toHaveValue('a windmill in the evening');
  await page.context().clearCookies();
  await visit(page, '/');
  await expect(prompt(page)).toHaveValue('');
});

test('a draft is kept although the page does not come alive', async ({ page }) => {
  await page.route('**/*.wasm', (route) => route.abort());
  await page.goto('/');
  await prompt(page).fill('half a sentence');
  await page.goto('/gallery');
  await page.goto('/');
  await expect(prompt(page)).toHaveValue('half a sentence');
});

test('words that an idea replaces can be had back', async ({ page }) => {
  await visit(page, '/');
  const back = page.locator('[data-own]');
  const take = async () => {
    const before = await prompt(page).inputValue();
    const ideas = (await page.locator('[data-ideas] a').allInnerTexts()).slice(0, -1);
    const idea = ideas.find((words) => words !== before)!;
    await page.locator('[data-ideas]').getByRole('link', { name: idea, exact: true }).click();
    await expect(prompt(page)).toHaveValue(idea);
  };
  await take();
  await expect(back, 'nothing was replaced').toBeHidden();
  await prompt(page).fill('of my own');
  for (let times = 0; times < 2; times++) await take();
  await back.click();
  await expect(prompt(page)).toHaveValue('of my own');
  await expect(back).toBeHidden();
});

test.describe('a provider that takes its time', () => {
  test.use({ answers: ['hang', 'hang'] });

  test('the title tells the stage, then that it is ready, until one is back', async ({ page, openai }) => {
    await visit(page, '/');
    const title = await page.title();
    for (const words of ['a cat', 'a dog']) {
      await paint(page, words);
      await expect(card(page, words)).toContainText('Painting');
    }
    await expect(page).toHaveTitle(`Painting … · ${title}`);
    await visit(page, '/');
    await expect(page).toHaveTitle(`Painting … · ${title}`);
    openai.release();
    await expect(page).toHaveTitle(`Ready · ${title}`);
    await page.locator('h1').click();
    await expect(page).toHaveTitle(title);
  });

  test('a notification is asked for on a click, and comes when nobody looks', async ({ page, openai }) => {
    await page.addInitScript(() => {
      const told: string[] = [];
      class Notification {
        static permission = 'default';
        static requestPermission = async () => (Notification.permission = 'granted');
        constructor(text: string) {
          told.push(text);
        }
      }
      Object.assign(globalThis, { Notification, told });
    });
    await visit(page, '/');
    await paint(page, 'a cat');
    await expect(card(page, 'a cat')).toContainText('Painting');
    const ask = page.getByRole('button', { name: 'Notify me' });
    await ask.click();
    await expect(ask).toBeHidden();
    await expect(page.getByRole('status')).toHaveText('You will be notified.');
    await page.evaluate(() => Object.defineProperty(document, 'hidden', { value: true }));
    openai.release();
    await expectShown(card(page, 'a cat').getByAltText('a cat'));
    const told = () => page.evaluate(() => (globalThis as unknown as { told: string[] }).told);
    await expect.poll(told).toEqual(['The picture is ready: a cat']);
  });
});

/** Everything that the visitor has, by the API. */
const jobs = async (page: Page): Promise<number> => (await (await page.request.get('/api/jobs')).json()).jobs.length;

test('an upload tells how far it is, and is cancelled', async ({ page, context }) => {
  await visit(page, '/restore');
  const line = await context.newCDPSession(page);
  const carries = (uploadThroughput: number) =>
    line.send('Network.emulateNetworkConditions', { offline: false, latency: 0, downloadThroughput: -1, uploadThroughput });
  const field = page.getByLabel('Choose a photo');
  const button = page.locator('.desk [type=submit]');
  // Bytes behind the end of a picture are read over.
  const buffer = Buffer.concat([readFileSync(photo), Buffer.alloc(2_000_000)]);
  await field.setInputFiles({ name: 'large.jpg', mimeType: 'image/jpeg', buffer });
  await carries(400_000);
  await button.click();
  await expect(button).toHaveText(/^Uploading … [1-9]\d?\s%$/);
  await page.getByRole('button', { name: 'Cancel' }).click();
  await expect(button).toHaveText('Restore it');
  await expect(page.locator('.job'), 'nothing was ordered').toHaveCount(0);
  await carries(-1);
  await button.click();
  await expectShown(card(page, 'A restored photo').getByAltText('The photo, restored'));
  await expect(page.locator('.job')).toHaveCount(1);
});

test('an upload that loses its connection goes on by itself', async ({ page, context }) => {
  await visit(page, '/restore');
  await context.setOffline(true);
  await restore(page, photo);
  await expect(page.locator('.desk').getByRole('alert')).toHaveText(/^Connection lost/);
  await context.setOffline(false);
  await expectShown(card(page, 'A restored photo').getByAltText('The photo, restored'));
  await expect(page.locator('.desk').getByRole('alert')).toBeHidden();
});

test('what arrived although its answer was lost is not made twice', async ({ page }) => {
  await visit(page, '/restore');
  const names: (string | undefined)[] = [];
  const browser = await page.context().newCDPSession(page);
  await browser.send('Fetch.enable', { patterns: [{ urlPattern: '*/api/restorations', requestStage: 'Response' }] });
  browser.on('Fetch.requestPaused', ({ requestId, request }) => {
    names.push(request.headers['Idempotency-Key']);
    void (names.length === 1
      ? browser.send('Fetch.failRequest', { requestId, errorReason: 'ConnectionReset' })
      : browser.send('Fetch.continueRequest', { requestId }));
  });
  await restore(page, photo);
  await expectShown(card(page, 'A restored photo').getByAltText('The photo, restored'));
  expect(names).toHaveLength(2);
  expect(names[0]).toBeTruthy();
  expect(names[1]).toBe(names[0]);
  expect(await jobs(page)).toBe(1);
});
