// What can be seen: contrasts, forced colours, and handles that are where they should be.

import { card, expect, expectShown, paint, type Page, photo, restore, test, visit } from './fixtures';

/** The contrast of two colours (WCAG 2.2), as the browser computes them. */
async function contrast(page: Page, ...colours: [string, string]): Promise<number> {
  return page.evaluate((colours) => {
    const light = (colour: string): number => {
      const parts = colour.match(/[\d.]+/g)!.slice(0, 3).map((part) => Number(part) / 255);
      const [r, g, b] = parts.map((part) => (part <= 0.04045 ? part / 12.92 : ((part + 0.055) / 1.055) ** 2.4));
      return 0.2126 * r! + 0.7152 * g! + 0.0722 * b! + 0.05;
    };
    const [dark, bright] = colours.map(light).sort((a, b) => a - b);
    return bright! / dark!;
  }, colours);
}

/** A property of the first element that a selector finds. */
function style(page: Page, selector: string, property: string): Promise<string> {
  return page.locator(selector).first().evaluate((at, name) => getComputedStyle(at).getPropertyValue(name), property);
}

for (const colorScheme of ['light', 'dark'] as const) {
  test.describe(colorScheme, () => {
    test.use({ colorScheme });

    test('frames and chips stand out from the wall', async ({ page }) => {
      await visit(page, '/');
      const wall = await style(page, 'html', 'background-color');
      expect(await contrast(page, wall, await style(page, '.choice:not(.styles) :not(:checked) + span', 'border-top-color'))).toBeGreaterThan(3);
      await paint(page, 'a red boat');
      await expectShown(card(page, 'a red boat').getByRole('img'));
      expect(await contrast(page, wall, await style(page, '.frame', 'border-top-color'))).toBeGreaterThan(3);
    });
  });
}

test('forced colours show what is chosen and where one is', async ({ page }) => {
  await page.emulateMedia({ forcedColors: 'active' });
  await visit(page, '/');
  const [chosen, other] = ['.choice :checked + span', '.choice:not(.styles) :not(:checked) + span'];
  const both = (property: string) => Promise.all([chosen, other].map((at) => style(page, at, property)));
  expect(new Set(await both('background-color')).size).toBe(2);
  expect(await contrast(page, await style(page, chosen, 'background-color'), await style(page, chosen, 'color'))).toBeGreaterThan(4.5);
  expect(await style(page, '.top [aria-current]', 'text-decoration-line')).toBe('underline');
  expect(await style(page, '.top nav :not([aria-current])', 'text-decoration-line')).toBe('none');
});

test('in its actual size a small photo keeps its handle', async ({ page }) => {
  await visit(page, '/restore');
  await restore(page, photo);
  const job = card(page, 'A restored photo');
  await expectShown(job.locator('.before img'));
  await job.getByLabel('Actual size').check();
  const picture = (await job.locator('.after img').boundingBox())!;
  const part = (await job.locator('.part').boundingBox())!;
  expect(Math.abs(picture.x - part.x)).toBeLessThan(2);
  expect(Math.abs(picture.width - part.width)).toBeLessThan(2);
});

test('links at the foot do not touch', async ({ page }) => {
  for (const width of [1280, 600]) {
    await page.setViewportSize({ width, height: 800 });
    await visit(page, '/');
    const boxes = await page.locator('.foot :is(a, button)').evaluateAll((all) =>
      all.map((each) => each.getBoundingClientRect()).map(({ left, right, top, bottom }) => ({ left, right, top, bottom })),
    );
    for (const [at, one] of boxes.entries()) {
      for (const other of boxes.slice(at + 1)) {
        const apart = Math.max(other.left - one.right, one.left - other.right, other.top - one.bottom, one.top - other.bottom);
        expect(apart, `at ${width} px`).toBeGreaterThanOrEqual(8);
      }
    }
  }
});

test.describe('a provider that shows what it draws', () => {
  test.use({ answers: ['partly'] });

  test('what is said of the stage leaves the middle of the picture free', async ({ page, openai }) => {
    await visit(page, '/');
    await paint(page, 'a cat on a wall');
    const job = card(page, 'a cat on a wall');
    await expectShown(job.locator('img.blank'));
    const picture = (await job.locator('img.blank').boundingBox())!;
    const slip = (await job.locator('.slip').boundingBox())!;
    expect(slip.y).toBeGreaterThan(picture.y + picture.height / 2);
    expect(slip.y + slip.height).toBeLessThanOrEqual(picture.y + picture.height);
    openai.release();
    await expectShown(job.getByAltText('a cat on a wall'));
  });
});
