// The lightbox, in which any picture of a page is looked at.

import { card, expect, expectShown, type Locator, type Page, paint, test, visit } from './fixtures';

const box = (page: Page) => page.getByRole('dialog', { name: 'Picture' });
const frame = (page: Page, name: string) => card(page, name).getByRole('link', { name: 'View larger' });

/** Paints pictures on the first page. */
async function painted(page: Page, ...prompts: string[]): Promise<void> {
  await visit(page, '/');
  for (const prompt of prompts) {
    await paint(page, prompt);
    await expectShown(card(page, prompt).getByRole('img'));
  }
}

/** How many times larger the picture is drawn than it would be if it were seen whole. */
const zoom = (picture: Locator) =>
  picture.evaluate((img: HTMLElement) => img.getBoundingClientRect().width / img.offsetWidth);

test('a finished picture opens, and "Back" closes it', async ({ page }) => {
  await painted(page, 'a red boat', 'a fox in the snow');
  await frame(page, 'a red boat').click();
  const picture = box(page).getByAltText('a red boat');
  await expectShown(picture);
  await expect(box(page).getByText('2 of 2')).toBeVisible();
  await expect(box(page).getByText('a red boat')).toBeVisible();
  const again = box(page).getByRole('link', { name: 'Use again' });
  await expect(again).toHaveAttribute('href', /^\/\?from=\w+$/);
  await expect(box(page).getByRole('button', { name: 'Delete' })).toBeHidden();
  await page.keyboard.press('ArrowLeft');
  await expectShown(box(page).getByAltText('a fox in the snow'));
  await page.goBack();
  await expect(box(page)).toBeHidden();
  await expect(page).toHaveURL('/');
  await expect(frame(page, 'a fox in the snow'), 'the picture shown last').toBeFocused();

  await page.keyboard.press('Enter');
  await box(page).getByRole('button', { name: 'Close' }).click();
  await expect(box(page)).toBeHidden();
  await expect(frame(page, 'a fox in the snow')).toBeFocused();
  await page.keyboard.press('Enter');
  const download = page.waitForEvent('download');
  await box(page).getByRole('link', { name: 'Download' }).click();
  expect((await download).suggestedFilename()).toBe('a-fox-in-the-snow.png');
  await again.click();
  await expect(page.getByLabel('Prompt')).toHaveValue('a fox in the snow');
  await page.goBack();
  await expect(page, 'no step of the history is the lightbox').toHaveURL('/');
  await expect(box(page)).toBeHidden();
});

test('a picture on its own page has no others', async ({ page }) => {
  await painted(page, 'a red boat');
  await card(page, 'a red boat').getByRole('link', { name: 'a red boat', exact: true }).click();
  await expect(page).toHaveURL(/\/jobs\//);
  await visit(page, page.url());
  await frame(page, 'a red boat').click();
  await expectShown(box(page).getByAltText('a red boat'));
  for (const name of ['Newer picture', 'Older picture']) {
    await expect(box(page).getByRole('button', { name })).toBeHidden();
  }
  await expect(box(page).getByRole('link', { name: 'Details' })).toBeHidden();
  await page.keyboard.press('Escape');
  await expect(box(page)).toBeHidden();
  await expect(frame(page, 'a red boat')).toBeFocused();
});

test('a picture is looked at down to its pixels', async ({ page }) => {
  await painted(page, 'a red boat');
  await frame(page, 'a red boat').click();
  const picture = box(page).getByAltText('a red boat');
  await expectShown(picture);
  const whole = page.waitForRequest(/\/images\/[^?]+$/);
  const { x, y, width, height } = (await picture.boundingBox())!;
  const corner = { x: x + width / 4, y: y + height / 4 };
  await page.mouse.move(corner.x, corner.y);
  await page.mouse.wheel(0, -400);
  await whole;
  await expect.poll(() => zoom(picture)).toBeGreaterThan(1.5);
  const scale = await zoom(picture);
  const zoomed = (await picture.boundingBox())!;
  expect((corner.y - zoomed.y) / scale, 'the point under the pointer stays').toBeCloseTo(height / 4, -1);

  await page.mouse.down();
  await page.mouse.move(corner.x + 30, corner.y + 20, { steps: 3 });
  await page.mouse.up();
  await expect.poll(async () => (await picture.boundingBox())!.y).toBeCloseTo(zoomed.y + 20, 0);
  await expect(box(page)).toBeVisible();
  await page.keyboard.press('ArrowDown');
  await expect.poll(async () => (await picture.boundingBox())!.y).toBeLessThan(zoomed.y);

  for (let presses = 0; presses < 10; presses++) await page.keyboard.press('-');
  expect(await zoom(picture)).toBeCloseTo(1, 1);
  await page.keyboard.press('+');
  await expect.poll(() => zoom(picture)).toBeCloseTo(1.5, 1);
  const actual = box(page).getByRole('button', { name: 'Actual size' });
  await expect(actual).toHaveAttribute('aria-pressed', 'true');
  await actual.click();
  expect(await zoom(picture)).toBeCloseTo(1, 1);
  await actual.click();
  const pixels = Number(await picture.getAttribute('width'));
  await expect.poll(async () => (await picture.boundingBox())!.width).toBeCloseTo(pixels, 0);
});

test('nothing moves when the file arrives', async ({ page }) => {
  await painted(page, 'a red boat', 'a fox in the snow');
  let arrive = (): void => {};
  const held = new Promise<void>((go) => (arrive = go));
  await page.route(/width=(960|1280|1920)/, async (route) => {
    await held;
    await route.continue();
  });
  await visit(page, '/gallery');
  await page.getByRole('link', { name: 'a fox in the snow', exact: true }).click();
  const picture = box(page).getByAltText('a fox in the snow');
  await expect(picture).toBeVisible();
  const before = [await box(page).boundingBox(), await picture.boundingBox()];
  arrive();
  await expectShown(picture);
  expect([await box(page).boundingBox(), await picture.boundingBox()]).toEqual(before);
});

test.describe('with fingers', () => {
  test.use({ hasTouch: true, viewport: { width: 390, height: 844 } });

  test('a picture is pinched, and swiped to the next', async ({ page }) => {
    await painted(page, 'a red boat', 'a fox in the snow');
    await frame(page, 'a fox in the snow').tap();
    const picture = box(page).getByAltText('a fox in the snow');
    await expectShown(picture);
    const { x, y, width, height } = (await picture.boundingBox())!;
    const middle = { x: x + width / 2, y: y + height / 2 };
    const fingers = await page.context().newCDPSession(page);
    const touch = (type: 'touchStart' | 'touchMove' | 'touchEnd', ...points: number[]) =>
      fingers.send('Input.dispatchTouchEvent', {
        type,
        touchPoints: points.map((way, id) => ({ x: middle.x + way, y: middle.y, id })),
      });
    await touch('touchStart', -40, 40);
    await touch('touchMove', -80, 80);
    await touch('touchEnd');
    await expect.poll(() => zoom(picture)).toBeCloseTo(2, 1);
    await touch('touchStart', -80, 80);
    await touch('touchMove', -20, 20);
    await touch('touchEnd');
    await expect.poll(() => zoom(picture)).toBeCloseTo(1, 1);
    await touch('touchStart', 60);
    await touch('touchMove', -60);
    await touch('touchEnd');
    await expectShown(box(page).getByAltText('a red boat'));
  });
});
