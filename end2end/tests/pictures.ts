// The share picture, the icons and the pictures of the documentation: the studio's own pages, and its pictures.

import { readFileSync, writeFileSync } from 'node:fs';
import { card, expect, expectShown, type Page, paint, test, visit } from './fixtures';

const root = new URL('../../', import.meta.url).pathname;
const file = (path: string) => root + path;
const inline = (type: string, bytes: Buffer) => `data:${type};base64,${bytes.toString('base64')}`;

/** Earlier pictures, the oldest first: words, style, shape. */
const earlier: [string, string, string][] = [
  ['mountains at dawn', 'Ink', 'Wide'],
  ['two cats on a windowsill', 'Poster', 'Square'],
  ['a windmill in a field of tulips', 'Oil', 'Square'],
  ['a castle on a hill under the moon', 'No style', 'Tall'],
  ['a hot air balloon over a lake', 'Watercolour', 'Square'],
  ['a train in the desert', 'Poster', 'Wide'],
  ['a city at night in the rain', 'Oil', 'Wide'],
  ['a lighthouse on a cliff at dusk, gulls in the wind', 'Oil', 'Square'],
  ['a bare tree in the snow', 'Ink', 'Square'],
  ['a rocket over the desert at night', 'Pixel', 'Tall'],
  ['a fox in the snow under tall pines', 'No style', 'Square'],
];
const boat = 'a red boat on a calm sea at sunset';

/** Paints one picture after another, each on a page with nothing else on it. */
async function paintAll(page: Page, pictures: [string, string, string][]): Promise<void> {
  for (const [words, style, shape] of pictures) {
    await visit(page, '/');
    await page.getByLabel(style, { exact: true }).check();
    await page.getByLabel(shape, { exact: true }).check();
    await paint(page, words);
    await expectShown(card(page, words).getByAltText(words));
  }
}

/** What a page shows, as a JPEG of at most so many kilobytes. */
async function shoot(page: Page, path: string, kilobytes: number): Promise<void> {
  for (let quality = 90; quality >= 40; quality -= 5) {
    const bytes = await page.screenshot({ type: 'jpeg', quality, animations: 'disabled' });
    if (bytes.length <= kilobytes * 1000) return writeFileSync(file(path), bytes);
  }
  throw new Error(`${path} takes more than ${kilobytes} kB`);
}

/** Shows a document of this size in the studio's own colours and typeface. */
async function compose(page: Page, width: number, height: number, style: string, body: string): Promise<void> {
  await page.setViewportSize({ width, height });
  await page.goto('/');
  const sheet = await page.locator('link[rel=stylesheet]').getAttribute('href');
  const own = `html, body { margin: 0; width: ${width}px; height: ${height}px; overflow: hidden; } ${style}`;
  await page.setContent(`<!DOCTYPE html><link rel="stylesheet" href="${sheet}"><style>${own}</style>${body}`);
  await page.evaluate(() => document.fonts.ready);
  for (const image of await page.locator('img').all()) await expectShown(image);
}

/** One picture in a file for Windows' icons. */
function ico(png: Buffer, side: number): Buffer {
  const head = Buffer.alloc(22);
  head.writeUInt16LE(1, 2);
  head.writeUInt16LE(1, 4);
  head.writeUInt8(side, 6);
  head.writeUInt8(side, 7);
  head.writeUInt16LE(1, 10);
  head.writeUInt16LE(32, 12);
  head.writeUInt32LE(png.length, 14);
  head.writeUInt32LE(head.length, 18);
  return Buffer.concat([head, png]);
}

test('the share picture', async ({ page }) => {
  const style = `
    body { display: grid; grid-template-columns: 1fr auto; align-items: center; gap: 56px; padding: 0 72px; box-sizing: border-box; background: #f3eee4; color: #2b241c; }
    h1 { font: 116px/1 Atelier, serif; margin: 0 0 28px; }
    p { font: 38px/1.3 Atelier, serif; margin: 0; color: #6a5e4f; }
    .hangs { padding: 20px; background: #fffefa; border: 12px solid #4a3b2b; box-shadow: 0 3px 3px rgb(74 59 43 / .22), 0 26px 40px -18px rgb(74 59 43 / .5); }
    .hangs img { display: block; width: 400px; height: 400px; }`;
  const body = `
    <main><h1>Atelier</h1><p>Words become pictures,<br>old photos restored ones.</p></main>
    <div class="hangs"><img src="/examples/boat.webp" alt=""></div>`;
  await compose(page, 1200, 630, style, body);
  await shoot(page, 'public/share.jpg', 150);
});

test('the icons', async ({ page }) => {
  const frame = (side: number) => `
    body { display: grid; place-items: center; background: #4a3b2b; }
    img { box-sizing: border-box; width: ${side}px; height: ${side}px; padding: ${side / 10}px; background: #fffefa; object-fit: cover; object-position: 70% 70%; }`;
  for (const [name, side] of [['apple-touch-icon', 180], ['icon-192', 192], ['icon-512', 512]] as const) {
    await compose(page, side, side, frame(0.72 * side), '<img src="/examples/boat.webp" alt="">');
    await page.screenshot({ path: file(`public/${name}.png`) });
  }
  const drawn = inline('image/svg+xml', readFileSync(file('public/favicon.svg')));
  await compose(page, 32, 32, 'img { display: block; }', `<img src="${drawn}" width="32" height="32" alt="">`);
  writeFileSync(file('public/favicon.ico'), ico(await page.screenshot(), 32));
});

test('the documentation', async ({ page }) => {
  test.setTimeout(300_000);
  await paintAll(page, earlier);
  // High enough for some of the earlier ones.
  await page.setViewportSize({ width: 1280, height: 1180 });
  await visit(page, '/');
  await page.getByLabel('Watercolour', { exact: true }).check();
  await page.getByLabel('Wide', { exact: true }).check();
  await paint(page, boat);
  await expectShown(card(page, boat).getByAltText(boat));
  for (const image of await page.locator('.hanging img').all()) await expectShown(image);
  await page.mouse.move(0, 0);
  await shoot(page, 'docs/art.jpg', 150);
  await visit(page, '/gallery');
  for (const image of await page.locator('.hanging img').all()) await expectShown(image);
  await shoot(page, 'docs/gallery.jpg', 150);
  await page.setViewportSize({ width: 1280, height: 900 });
  await visit(page, '/restore');
  await page.getByLabel('Choose a photo').setInputFiles(file('public/samples/astronaut.jpg'));
  await page.getByRole('button', { name: 'Restore it', exact: true }).click();
  await expectShown(page.getByAltText('The photo, restored'));
  await page.mouse.move(0, 0);
  await shoot(page, 'docs/restore.jpg', 150);
});

test('the first minute of a newcomer', async ({ page }) => {
  test.setTimeout(300_000);
  await page.setViewportSize({ width: 1120, height: 760 });
  const stills: string[] = [];
  const captions: string[] = [];
  const still = async (caption: string) => {
    await page.mouse.move(0, 0);
    stills.push(inline('image/png', await page.screenshot({ animations: 'disabled' })));
    captions.push(caption);
  };
  let finish = () => {};
  const finished = new Promise<void>((go) => (finish = go));
  // The engine is quicker than a photograph of the page.
  await page.route(/\/api\/jobs\/[^/]+\?.*after=/, async (route) => {
    await finished;
    await route.continue();
  });

  await visit(page, '/');
  for (const image of await page.locator('.examples img').all()) {
    await image.scrollIntoViewIfNeeded();
    await expectShown(image);
  }
  await page.evaluate(() => scrollTo(0, 0));
  await still('Open it');
  await page.locator('.examples a').first().click();
  await expect(page.getByLabel('Prompt')).toHaveValue(boat);
  await still('Take an example');
  await page.getByRole('button', { name: 'Paint it', exact: true }).click();
  await expect(card(page, boat).getByRole('progressbar')).toBeVisible();
  await still('It is being painted');
  finish();
  await expectShown(card(page, boat).getByAltText(boat));
  await still('Painted');
  await card(page, boat).getByRole('img').click();
  await expectShown(page.getByRole('dialog').getByRole('img').last());
  await still('Look closer');
  await page.keyboard.press('Escape');
  await visit(page, '/restore');
  await page.getByLabel('Choose a photo').setInputFiles(file('public/samples/astronaut.jpg'));
  await page.getByRole('button', { name: 'Restore it', exact: true }).click();
  await expectShown(page.getByAltText('The photo, restored'));
  await still('An old photo, before and after');

  const figures = stills.map((still, number) => {
    return `<figure><img src="${still}" alt=""><figcaption>${number + 1}. ${captions[number]}</figcaption></figure>`;
  });
  const style = `
    body { display: grid; grid-template-columns: repeat(3, 1fr); gap: 20px; padding: 20px; box-sizing: border-box; background: #4a3b2b; }
    figure { margin: 0; }
    img { display: block; width: 100%; }
    figcaption { font: 17px/1 Atelier, serif; padding-top: 10px; color: #fbf8f1; }`;
  await compose(page, 1280, 660, style, figures.join(''));
  await shoot(page, 'docs/first-minute.jpg', 220);
});
