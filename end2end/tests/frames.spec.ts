// A photo of any shape hangs in a frame that can be looked at: neither a thread nor as high as the house.

import { expect, expectShown, type Page, restore, test, visit } from './fixtures';

const screens = {
  desktop: { viewport: { width: 1280, height: 900 } },
  phone: { viewport: { width: 390, height: 844 }, isMobile: true, hasTouch: true },
};

/** A photo of one colour as an uncompressed bitmap; the width is a multiple of 4. */
function bitmap(width: number, height: number): Buffer {
  const head = Buffer.alloc(54);
  head.write('BM');
  head.writeUInt32LE(head.length + 3 * width * height, 2);
  head.writeUInt32LE(head.length, 10);
  head.writeUInt32LE(40, 14);
  head.writeInt32LE(width, 18);
  head.writeInt32LE(height, 22);
  head.writeUInt16LE(1, 26);
  head.writeUInt16LE(24, 28);
  return Buffer.concat([head, Buffer.alloc(3 * width * height, 0x90)]);
}

async function expectToBeSeenWhole(page: Page, screen: { width: number; height: number }): Promise<void> {
  const frame = page.locator('.frame').first();
  const box = (await frame.boundingBox())!;
  expect(box.height, 'it can be grasped').toBeGreaterThan(60);
  expect(box.height, 'it is not scrolled past').toBeLessThan(screen.height);
  expect(box.width).toBeLessThanOrEqual(screen.width);
  const over = await page.evaluate(() => document.documentElement.scrollWidth - innerWidth);
  expect(over, 'nothing has to be scrolled sideways').toBeLessThanOrEqual(0);
}

for (const [name, use] of Object.entries(screens)) {
  test.describe(`on a ${name}`, () => {
    test.use(use);

    for (const [width, height] of [[60, 6000], [6000, 60]] as const) {
      test(`a photo of ${width} x ${height} has a frame of reasonable height`, async ({ page }) => {
        await visit(page, '/restore');
        const file = { name: 'strip.bmp', mimeType: 'image/bmp', buffer: bitmap(width, height) };
        await restore(page, file);
        await expectShown(page.getByAltText('The photo, restored'));
        await expectToBeSeenWhole(page, use.viewport);
        await page.getByLabel('Side by side').check();
        await expectToBeSeenWhole(page, use.viewport);
      });
    }
  });
}
