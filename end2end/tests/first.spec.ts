// The first screen: what a newcomer sees before and while there is something of their own.

import { card, expect, expectShown, paint, type Page, restore, photo, test, visit } from './fixtures';

const boat = 'a red boat on a calm sea at sunset';
const desktop = { width: 1280, height: 800 };
const phone = { width: 390, height: 844 };

/** How far the page's parts have moved by themselves. */
async function shifts(page: Page): Promise<() => Promise<number>> {
  await page.addInitScript(() => {
    const shifted = { by: 0 };
    Object.assign(globalThis, { shifted });
    new PerformanceObserver((list) => {
      for (const entry of list.getEntries()) shifted.by += (entry as unknown as { value: number }).value;
    }).observe({ type: 'layout-shift', buffered: true });
  });
  return () => page.evaluate(() => (globalThis as unknown as { shifted: { by: number } }).shifted.by);
}

test('three examples hang beside a composer that stays, and nothing moves', async ({ page }) => {
  await page.setViewportSize(desktop);
  const moved = await shifts(page);
  await visit(page, '/');
  const examples = page.getByRole('region', { name: /^Made from words/ }).getByRole('link');
  await expect(examples).toHaveCount(3);
  for (const example of await examples.all()) {
    await expectShown(example.locator('img'));
    const frame = (await example.locator('.frame').boundingBox())!;
    expect(frame.y + frame.height, 'seen without scrolling').toBeLessThan(desktop.height);
  }
  const composer = (await page.locator('.composer').boundingBox())!;
  expect(composer.x + composer.width).toBeLessThan((await examples.first().boundingBox())!.x);
  expect(await moved()).toBeLessThan(0.01);
  await page.setViewportSize({ width: 1280, height: 500 });
  await page.mouse.move(1100, 250);
  await page.mouse.wheel(0, 2000);
  await expect(page.getByRole('button', { name: 'Paint it' })).toBeInViewport();
});

test('an example fills in its words and its style, which can be undone', async ({ page }) => {
  await visit(page, '/');
  const prompt = page.getByLabel('Prompt');
  await prompt.fill('of my own');
  await page.getByRole('link', { name: boat }).last().click();
  await expect(prompt).toHaveValue(boat);
  await expect(prompt).toBeFocused();
  await expect(page.getByLabel('Watercolour', { exact: true })).toBeChecked();
  await expect(page).toHaveURL('/');
  await page.keyboard.press('Control+z');
  await expect(prompt).toHaveValue('of my own');
  await paint(page, boat);
  await expectShown(card(page, boat).getByRole('img'));
  await expect(page.getByRole('region', { name: /^Made from words/ }), 'they make room').toBeHidden();
});

test('a finished picture fits the window with its frame', async ({ page }) => {
  await visit(page, '/');
  for (const shape of ['Square', 'Tall', 'Wide']) {
    await page.getByLabel(shape, { exact: true }).check();
    await paint(page, `${boat}, ${shape}`);
    await expectShown(card(page, `${boat}, ${shape}`).getByRole('img'));
  }
  for (const size of [desktop, phone, { width: 1280, height: 620 }]) {
    await page.setViewportSize(size);
    for (const frame of await page.locator('.job .frame').all()) {
      const { height, width } = (await frame.boundingBox())!;
      expect(height).toBeLessThanOrEqual(size.height);
      expect(width).toBeGreaterThan(200);
      const [picture, ratio] = await frame.locator('img').evaluate((img: HTMLImageElement) => [
        img.clientWidth / img.clientHeight,
        img.naturalWidth / img.naturalHeight,
      ]);
      expect(picture).toBeCloseTo(ratio, 1);
    }
  }
});

test('the composer folds on a phone once a picture is under way', async ({ page }) => {
  await page.setViewportSize(phone);
  await visit(page, '/');
  const style = page.getByLabel('Ink', { exact: true });
  await style.check();
  await paint(page, boat);
  await expect(card(page, boat)).toBeVisible();
  await expect(style).toBeHidden();
  await expect(page.getByRole('button', { name: 'Paint it' })).toBeVisible();
  await page.getByText('Style, shape and more').click();
  await expect(style).toBeChecked();
});

test('a photo is seen before and after, and a sample is restored', async ({ page }) => {
  await page.setViewportSize(desktop);
  const moved = await shifts(page);
  await visit(page, '/restore');
  const before = page.getByAltText('An old, faded photo with scratches');
  await expectShown(before);
  const clip = () => before.evaluate((img) => getComputedStyle(img).clipPath);
  const half = await clip();
  const slider = page.getByRole('slider', { name: 'How much of the' });
  await slider.press('ArrowRight');
  await expect.poll(clip).not.toBe(half);
  expect(await moved()).toBeLessThan(0.01);
  await page.getByRole('button', { name: 'Portrait' }).click();
  const job = card(page, 'A restored photo');
  await expectShown(job.getByAltText('The photo, restored'));
  await expect(before, 'it makes room').toBeHidden();
  const download = page.waitForEvent('download');
  await job.getByRole('link', { name: 'Download' }).click();
  expect((await download).suggestedFilename()).toBe('astronaut-restored.jpg');
});

test('an empty gallery shows what could hang there', async ({ page }) => {
  await visit(page, '/gallery');
  await page.getByRole('link', { name: boat }).click();
  await expect(page).toHaveURL('/?example=0');
  await expect(page.getByLabel('Prompt')).toHaveValue(boat);
  await expect(page.getByLabel('Watercolour', { exact: true })).toBeChecked();
});

test.describe('with a model that refuses', () => {
  test.use({ answers: ['unsafe', 'hang', 'unsafe'] });

  test('what failed or was cancelled takes one row', async ({ page }) => {
    await page.setViewportSize(desktop);
    await visit(page, '/');
    await paint(page, 'refused');
    await expect(card(page, 'refused').getByRole('alert').first()).toHaveText(/refused/);
    await paint(page, 'cancelled');
    await expect(card(page, 'cancelled')).toContainText('Painting');
    await card(page, 'cancelled').getByRole('button', { name: 'Cancel' }).click();
    await expect(card(page, 'cancelled')).toContainText('Cancelled');
    for (const name of ['refused', 'cancelled']) {
      expect((await card(page, name).boundingBox())!.height, name).toBeLessThan(130);
      await expect(card(page, name).locator('.frame')).toHaveCount(0);
    }
    await visit(page, '/restore');
    await restore(page, photo);
    const job = card(page, 'A photo to restore');
    await expect(job.getByRole('alert').first()).toHaveText(/refused/);
    expect((await job.boundingBox())!.height).toBeLessThan(130);
  });
});

test.describe("with the operator's styles and presets", () => {
  const linocut = '[[studio.styles]]\nname = "Linocut"\nwords = "linocut print, bold shapes"\n';
  const fair = '[[studio.presets]]\nname = "Village fair"\nwords = "a carousel at dusk"\nstyle = "Linocut"\n';
  test.use({
    limits: `limits = []\n${linocut}thumbnail = ${JSON.stringify(photo)}\n${fair}thumbnail = ${JSON.stringify(photo)}`,
    answers: ['picture'],
  });

  test('a preset fills in words and style', async ({ page }) => {
    await visit(page, '/');
    for (const tile of await page.locator('.styles img, .presets img').all()) await expectShown(tile);
    await expect(page.locator('.styles img')).toHaveCount(9);
    await page.getByRole('link', { name: 'Village fair' }).click();
    await expect(page.getByLabel('Prompt')).toHaveValue('a carousel at dusk');
    await expect(page.getByLabel('Linocut')).toBeChecked();
    await page.getByRole('button', { name: 'Paint it' }).click();
    await expectShown(card(page, 'a carousel at dusk').getByRole('img'));
    await expect(card(page, 'a carousel at dusk')).toContainText('Linocut');
    await page.goto('/?preset=0');
    await expect(page.getByLabel('Linocut')).toBeChecked();
  });
});
