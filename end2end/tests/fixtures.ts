// What every test gets: a studio of its own, and a browser that is listened to.

import { type APIRequestContext, type BrowserContext, expect, type Locator, type Page, type Response, test as base } from '@playwright/test';
import { type Answer, OpenAi } from './openai';
import { Studio } from './studio';

export { type APIRequestContext, expect, type Locator, type Page, type Response };
export { photo } from './openai';

interface Options {
  /** The limits of the studio, as TOML. */
  limits: string;
  /** What the stand-in for OpenAI answers in turn; without it the built-in engine works. */
  answers: Answer[] | undefined;
  /** What the browser complains of because the test wants it to. */
  wanted: RegExp | undefined;
}

interface Fixtures {
  openai: OpenAi;
  studio: Studio;
}

/** A PNG of one grey pixel. */
export const pixel = 'iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAAAAAA6fptVAAAACklEQVR4nGNoAAAAggCBd81ytgAAAABJRU5ErkJggg==';

export const test = base.extend<Options & Fixtures>({
  limits: ['limits = []', { option: true }],
  answers: [undefined, { option: true }],
  wanted: [undefined, { option: true }],

  openai: async ({ answers }, use) => {
    const openai = await OpenAi.start(answers ?? []);
    await use(openai);
    await openai.stop();
  },

  studio: async ({ answers, openai, limits }, use, testInfo) => {
    const studio = await Studio.open(limits, answers ? openai.environment : {});
    await use(studio);
    await studio.close();
    await testInfo.attach('studio.log', { body: studio.log });
    expect(studio.log, 'the studio logs no errors').not.toMatch(/ ERROR |panicked/);
  },

  baseURL: async ({ studio }, use) => use(studio.url),

  context: async ({ context, studio, wanted }, use) => {
    const complaints = await listen(context, new URL(studio.url).origin);
    await use(context);
    const others = complaints.filter((complaint) => !wanted?.test(complaint));
    expect(others, 'the browser has nothing to complain about').toEqual([]);
  },
});

/** Collects what no page should cause: messages, violations of the CSP, requests to elsewhere. */
async function listen(context: BrowserContext, origin: string): Promise<string[]> {
  const complaints: string[] = [];
  context.on('console', (message) => {
    // Chromium says so of every 4xx, expected or not.
    const expected = message.text().startsWith('Failed to load resource');
    if (['error', 'warning'].includes(message.type()) && !expected) complaints.push(message.text());
  });
  context.on('weberror', (error) => complaints.push(String(error.error())));
  context.on('request', (request) => {
    const { protocol, origin: asked } = new URL(request.url());
    if (asked !== origin && !['blob:', 'data:'].includes(protocol)) complaints.push(`asked ${request.url()}`);
  });
  await context.addInitScript(() => {
    addEventListener('securitypolicyviolation', (violation) =>
      console.error(`CSP: ${violation.violatedDirective} ${violation.blockedURI}`),
    );
  });
  return complaints;
}

/** Opens a page and waits until its islands are awake: before, forms are sent as if without a script. */
export async function visit(page: Page, path: string): Promise<void> {
  await page.goto(path);
  const asleep = (islands: (Element & { awake?: boolean })[]) => islands.filter(({ awake }) => !awake).length;
  await expect.poll(() => page.locator('leptos-island').evaluateAll(asleep)).toBe(0);
}

/** The card of the job with this name. */
export function card(page: Page, name: string): Locator {
  return page.locator('.job', { has: page.getByRole('heading', { name, exact: true }) });
}

/** The address of the page of the job with this name. */
export async function address(page: Page, name: string): Promise<string> {
  return (await card(page, name).getByRole('link', { name, exact: true }).getAttribute('href')) ?? '';
}

/** Writes a prompt and sends it. */
export async function paint(page: Page, prompt: string): Promise<void> {
  await page.getByLabel('Prompt').fill(prompt);
  await page.getByRole('button', { name: 'Paint it', exact: true }).click();
}

/** Deletes a job by its menu. */
export async function discard(job: Locator, name = 'Delete'): Promise<void> {
  await job.getByText('More', { exact: true }).click();
  await job.getByRole('button', { name }).click();
}

/** Chooses a photo and sends it. */
export async function restore(page: Page, file: Parameters<Locator['setInputFiles']>[0]): Promise<void> {
  await page.getByLabel('Choose a photo').setInputFiles(file);
  await page.getByRole('button', { name: 'Restore it', exact: true }).click();
}

/** Presses Enter until something is visible: a press that comes too soon was not meant, and does nothing. */
export async function pressOnPurpose(page: Page, until: Locator): Promise<void> {
  await expect(async () => {
    await page.keyboard.press('Enter');
    await expect(until).toBeVisible({ timeout: 200 });
  }).toPass();
}

/** Waits until an image is not only in the page but decoded. */
export async function expectShown(image: Locator): Promise<void> {
  await expect(image).toBeVisible();
  await expect.poll(() => image.evaluate((img: HTMLImageElement) => img.naturalWidth)).toBeGreaterThan(0);
}

/** Draws a line over a picture, between places that are shares of its width and height. */
export async function drag(page: Page, sheet: Locator, from: [number, number], to: [number, number]): Promise<void> {
  await sheet.scrollIntoViewIfNeeded();
  const { x, y, width, height } = (await sheet.boundingBox())!;
  await page.mouse.move(x + from[0] * width, y + from[1] * height);
  await page.mouse.down();
  await page.mouse.move(x + to[0] * width, y + to[1] * height, { steps: 4 });
  await page.mouse.up();
}
