// Both applications and the gallery in WebKit, and what it alone does otherwise. What can be asked of every browser is
// in `engines.spec.ts`.

import { expect, photo, test as base } from './fixtures';
import { keys, WebKit } from './webkit';

const test = base.extend<{ webkit: WebKit }>({
  webkit: async ({}, use) => {
    const webkit = await WebKit.open();
    await use(webkit);
    await webkit.close();
  },
});

const fox = 'a red fox in the snow';
const windmill = 'a windmill';

test('a picture is painted, a photo restored, and both are found in the gallery', async ({ studio, webkit }) => {
  await webkit.visit(studio.url);
  await webkit.click('label:has([name=style][value=ink])');
  for (const words of [fox, windmill]) {
    await webkit.value('document.querySelector("#prompt").select()');
    await webkit.type('#prompt', words);
    await webkit.click('.desk [type=submit]');
    await webkit.untilShown(`.job .frame img[alt="${words}"]`);
  }

  await test.step('the dials stand in a line, and what is underlined is', async () => {
    const labels = '[...document.querySelectorAll(".dials :is(legend, .pick > span:first-child)")].slice(1)';
    const tops = await webkit.value(`${labels}.map((label) => Math.round(label.getBoundingClientRect().top))`);
    expect(new Set(tops as number[]).size, String(tops)).toBe(1);
    const line = 'getComputedStyle(document.querySelector(".foot button")).textDecorationLine';
    expect(await webkit.value(line)).toBe('underline');
  });

  await test.step('a photo is restored and compared', async () => {
    await webkit.click('.top a[href="/restore"]');
    await webkit.awake();
    await webkit.type('#photo', photo);
    await webkit.until('!document.querySelector("[data-chosen]").hidden');
    await webkit.click('.desk [type=submit]');
    await webkit.untilShown('.job .before img');
    const clip = 'getComputedStyle(document.querySelector(".before img")).clipPath';
    const half = await webkit.value(clip);
    await webkit.type('.compare [type=range]', keys.right);
    await webkit.until('document.querySelector(".compare [type=range]").value === "51"');
    expect(await webkit.value(clip)).not.toBe(half);
  });

  await test.step('pictures are found, looked at and deleted', async () => {
    await webkit.click('.top a[href="/gallery"]');
    await webkit.awake();
    await webkit.type('#q', `fox${keys.enter}`);
    await webkit.until('location.search.includes("fox") && document.querySelectorAll("[data-shelf] li").length === 1');
    await webkit.visit(`${studio.url}gallery`);
    await webkit.click(`[data-shelf] a:has(img[alt="${windmill}"])`);
    await webkit.until('document.querySelector("[data-lightbox]").open');
    await webkit.untilShown('[data-large]');
    await webkit.type('[data-lightbox] [data-step="1"]', keys.right);
    await webkit.until(`document.querySelector("[data-large]").alt === "${fox}"`);
    await webkit.click('[data-lightbox] [data-remove]');
    await webkit.agree();
    await webkit.until('!document.querySelector("[data-toast]").hidden');
  });

  await test.step('what was deleted does not come back with the page', async () => {
    await webkit.click('.top a[href="/restore"]');
    await webkit.until('location.pathname === "/restore"');
    await webkit.back();
    await webkit.until('location.pathname === "/gallery"');
    await webkit.until(`document.querySelectorAll("[data-shelf] li").length === 2`);
    expect(await webkit.value(`!!document.querySelector('[data-shelf] img[alt="${fox}"]')`)).toBe(false);
    expect(await webkit.value('document.querySelector("[data-toast]").hidden')).toBe(true);
  });
});
