// A phone of the middle class: a browser that is slowed down, and what its user would feel.

import { chromium } from '@playwright/test';

const PHONE = { viewport: { width: 390, height: 844 }, deviceScaleFactor: 2, isMobile: true, hasTouch: true };
const CPU_SLOWDOWN = 4;
export const SLOW_4G = { offline: false, latency: 150, downloadThroughput: 1.6e6 / 8, uploadThroughput: 0.75e6 / 8 };
const FLAGS = [
  '--headless=new',
  '--no-sandbox',
  '--disable-gpu',
  '--disable-background-networking',
  '--disable-component-update',
  '--disable-sync',
  '--no-first-run',
];

export const pause = (ms) => new Promise((go) => setTimeout(go, ms));

export function browser() {
  return chromium.launch({ executablePath: process.env.CHROMIUM ?? '/usr/bin/chromium', args: FLAGS });
}

/** Runs in every page before its own scripts. */
function observe() {
  const seen = { lcp: 0, shifts: [], tasks: [], interactions: {} };
  window.seen = seen;
  const watch = (type, take, more) =>
    new PerformanceObserver((list) => list.getEntries().forEach(take)).observe({ type, buffered: true, ...more });
  watch('largest-contentful-paint', (entry) => {
    seen.lcp = entry.startTime;
    seen.element = entry.element?.localName;
  });
  watch('layout-shift', ({ startTime, value, hadRecentInput }) => {
    if (!hadRecentInput) seen.shifts.push({ startTime, value });
  });
  watch('longtask', ({ duration }) => seen.tasks.push(duration));
  const interaction = ({ interactionId: id, duration }) => {
    if (id) seen.interactions[id] = Math.max(seen.interactions[id] ?? 0, duration);
  };
  watch('event', interaction, { durationThreshold: 16 });
}

/** The worst burst of shifts: none a second after the one before, none five after the first. */
export function layoutShift(shifts) {
  let [worst, burst, first, last] = [0, 0, -Infinity, -Infinity];
  for (const { startTime, value } of shifts) {
    if (startTime - last >= 1000 || startTime - first >= 5000) [burst, first] = [0, startTime];
    last = startTime;
    burst += value;
    worst = Math.max(worst, burst);
  }
  return worst;
}

/** Opens a page on a phone that has never seen it, lets `use` work with it, and returns what was observed. */
export async function onPhone(browser, { address, cookie, network }, use) {
  const context = await browser.newContext(PHONE);
  try {
    const [name, value] = cookie?.split('=') ?? [];
    if (cookie) await context.addCookies([{ name, value, url: address }]);
    await context.addInitScript(observe);
    const page = await context.newPage();
    const devtools = await context.newCDPSession(page);
    await devtools.send('Emulation.setCPUThrottlingRate', { rate: CPU_SLOWDOWN });
    await devtools.send('Network.enable');
    if (network) await devtools.send('Network.emulateNetworkConditions', network);
    await page.goto(address, { waitUntil: 'load' });
    await use(page);
    return await page.evaluate(() => window.seen);
  } finally {
    await context.close();
  }
}

/** Touches it with a finger and lets the page answer undisturbed: Playwright's own `tap` works in the page meanwhile. */
export async function touch(page, locator) {
  await locator.scrollIntoViewIfNeeded();
  const { x, y, width, height } = await locator.boundingBox();
  await pause(300);
  await page.touchscreen.tap(x + width / 2, y + height / 2);
  await pause(1_000);
}
