import { browser, SLOW_4G } from './phone.mjs';
import { writeFileSync } from 'node:fs';
const [,, address, cookie] = process.argv;
const b = await browser();
const PHONE = { viewport: { width: 390, height: 844 }, deviceScaleFactor: 2, isMobile: true, hasTouch: true };
for (let i = 0; i < 3; i++) {
  const context = await b.newContext(PHONE);
  if (cookie) { const [n, v] = cookie.split('='); await context.addCookies([{ name: n, value: v, url: address }]); }
  const page = await context.newPage();
  const cdp = await context.newCDPSession(page);
  await cdp.send('Emulation.setCPUThrottlingRate', { rate: 4 });
  await cdp.send('Network.enable');
  await cdp.send('Network.emulateNetworkConditions', SLOW_4G);
  await b.startTracing(page, { categories: ['devtools.timeline', 'toplevel', 'blink.user_timing', 'loading', 'v8', 'disabled-by-default-devtools.timeline'] });
  await page.goto(address, { waitUntil: 'load' });
  await new Promise(r => setTimeout(r, 1500));
  const buf = await b.stopTracing();
  const { traceEvents: ev } = JSON.parse(buf);
  const nav = ev.filter(e => e.name === 'navigationStart' && e.args?.data?.documentLoaderURL?.startsWith(address)).at(-1) ?? ev.filter(e => e.name === 'navigationStart').at(-1);
  const main = ev.filter(e => e.pid === nav.pid && e.tid === nav.tid && e.ph === 'X' && e.ts > nav.ts);
  const at = (ts) => ((ts - nav.ts) / 1000).toFixed(0);
  console.log('--- run', i);
  for (const n of ['firstPaint', 'firstContentfulPaint', 'largestContentfulPaint::Candidate', 'domInteractive', 'responseEnd']) for (const e of ev.filter(e => e.name === n && e.ts > nav.ts)) console.log(n, at(e.ts));
  for (const e of main.filter(e => ['ParseHTML','UpdateLayoutTree','Layout','PrePaint','Paint','Layerize','Commit','ParseAuthorStyleSheet','EvaluateScript','FunctionCall','v8.compile','v8.wasm.compile','RunTask','ResourceReceivedData','v8.wasm','HitTest','v8.evaluateModule'].includes(e.name) && e.dur > (e.name === 'RunTask' ? 30000 : 6000))) console.log(e.name.padEnd(22), 'at', at(e.ts), 'dur', (e.dur / 1000).toFixed(0));
  await context.close();
}
await b.close();
