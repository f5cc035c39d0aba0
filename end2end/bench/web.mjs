// The pages as visitors get them: their weight, how soon a phone shows them and answers to a finger, and
// how many of them the server gives out. One JSON object per measurement on stdout. By hand:
// ATELIER_BIN=… CHROMIUM=… node bench/web.mjs

import { execFile } from 'node:child_process';
import { once } from 'node:events';
import { createServer, get } from 'node:http';
import { extname } from 'node:path';
import { promisify } from 'node:util';
import { gunzipSync } from 'node:zlib';
import { browser as openBrowser, layoutShift, onPhone, pause, SLOW_4G, touch } from './phone.mjs';
import { Studio } from './studio.mjs';

const RUNS = 5;
const SHOWN = 24;
const MANY = 1_000;
/** Of a picture, so that not all of those have to be painted. */
const COPIES = 40;

const BUDGET = {
  bytes: 65_536,
  laterBytes: 24_576,
  htmlBytes: 12_288,
  cls: 0.01,
  blockedMs: 100,
  interactionMs: 100,
};

const print = (measured) => console.log(JSON.stringify(measured));
const progress = (text) => console.error(text);
const median = (values) => [...values].sort((a, b) => a - b)[Math.floor(values.length / 2)];
const sum = (values) => values.reduce((all, value) => all + value, 0);
const rounded = (value, digits = 0) => Number(value.toFixed(digits));

/** The body as it travels. */
function download(url, cookie) {
  const headers = { 'accept-encoding': 'gzip, br', accept: 'text/html', ...(cookie && { cookie }) };
  return new Promise((done, failed) => {
    const request = get(url, { headers }, async (answer) => {
      const body = Buffer.concat(await answer.toArray());
      done({ status: answer.statusCode, coding: answer.headers['content-encoding'], body });
    });
    request.on('error', failed);
  });
}

/** What a first visit downloads before the page is fully alive, pictures aside, and what it fetches when idle. */
async function weight({ page, address, cookie, htmlBudget }) {
  progress(`weighing ${page}`);
  const html = await download(address, cookie);
  const text = (html.coding === 'gzip' ? gunzipSync(html.body) : html.body).toString();
  const bytes = { '.wasm': 0, '.js': 0, '.css': 0, later: 0 };
  for (const asset of new Set(text.match(/\/assets\/[\w.-]+/g))) {
    const file = await download(new URL(asset, address).href);
    if (file.status !== 200) throw new Error(`${asset} answered ${file.status}`);
    bytes[asset.startsWith('/assets/later.') ? 'later' : extname(asset)] += file.body.length;
  }
  const total = sum(Object.values(bytes)) - bytes.later;
  const complete = Object.values(bytes).every((size) => size > 0);
  print({
    name: 'web-weight', page, total_bytes: total,
    wasm_bytes: bytes['.wasm'], js_bytes: bytes['.js'], css_bytes: bytes['.css'],
    html_bytes: html.body.length, html_coding: html.coding,
    later_bytes: bytes.later,
    budget_bytes: BUDGET.bytes, budget_later_bytes: BUDGET.laterBytes, budget_html_bytes: htmlBudget,
    ok: complete && total <= BUDGET.bytes && bytes.later <= BUDGET.laterBytes && html.body.length <= (htmlBudget ?? Infinity),
  });
}

async function load(browser, { page, address, cookie, lcpBudget }) {
  progress(`loading ${page}`);
  const runs = [];
  for (let run = 0; run < RUNS; run++) {
    const seen = await onPhone(browser, { address, cookie, network: SLOW_4G }, () => pause(5_000));
    const blocked = sum(seen.tasks.map((duration) => Math.max(0, duration - 50)));
    runs.push({ lcp: seen.lcp, element: seen.element, cls: layoutShift(seen.shifts), tbt: blocked });
  }
  const [lcp, cls, tbt] = ['lcp', 'cls', 'tbt'].map((figure) => median(runs.map((run) => run[figure])));
  print({
    name: 'web-load', page, runs: RUNS, lcp_ms: rounded(lcp), cls: rounded(cls, 4), tbt_ms: rounded(tbt),
    lcp_ms_of_runs: runs.map((run) => rounded(run.lcp)), lcp_element: runs.at(-1).element,
    budget_lcp_ms: lcpBudget, budget_cls: BUDGET.cls, budget_tbt_ms: BUDGET.blockedMs,
    ok: lcpBudget && lcp > 0 && lcp <= lcpBudget && cls <= BUDGET.cls && tbt <= BUDGET.blockedMs,
  });
}

/** What this machine takes for a page of one sentence, to judge the others by. */
async function least(browser) {
  const page = '<!doctype html><meta name="viewport" content="width=device-width"><p>One sentence and nothing else.</p>';
  const server = createServer((_, answer) => answer.setHeader('content-type', 'text/html').end(page)).listen(0, '127.0.0.1');
  await once(server, 'listening');
  await load(browser, { page: 'one sentence', address: `http://127.0.0.1:${server.address().port}/` });
  server.close();
}

/** How long the screen takes to answer; what is shorter than 16 ms the browser does not tell. */
async function interact(browser, visit, name, prepare, act) {
  progress(`interacting: ${name}`);
  const runs = [];
  for (let run = 0; run < RUNS; run++) {
    const { interactions } = await onPhone(browser, visit, async (page) => {
      const awake = () => [...document.querySelectorAll('leptos-island')].every((island) => island.awake);
      await page.waitForFunction(awake);
      await prepare(page, run);
      await pause(500);
      await page.evaluate(() => (window.seen.interactions = {}));
      if (!(await act(page))) throw new Error(`${name} had no effect`);
    });
    runs.push(Math.max(16, ...Object.values(interactions)));
  }
  const inp = median(runs);
  print({
    name: 'web-inp', interaction: name, runs: RUNS, inp_ms: inp, inp_ms_of_runs: runs,
    budget_ms: BUDGET.interactionMs, ok: inp <= BUDGET.interactionMs,
  });
}

async function interactions(browser, pages) {
  const [home, gallery] = ['/', '/gallery'].map((name) => pages.find(({ page }) => page === name));
  const prompt = (page) => page.getByLabel('Prompt');
  await interact(browser, home, 'typing the prompt', (page) => touch(page, prompt(page)), async (page) => {
    await page.keyboard.type('a lighthouse on a cliff at dusk', { delay: 80 });
    await pause(1_000);
    return (await prompt(page).inputValue()) === 'a lighthouse on a cliff at dusk';
  });
  const fill = (page, run) => prompt(page).fill(`a lighthouse, study ${run}`);
  await interact(browser, home, 'pressing “Paint it”', fill, async (page) => {
    await touch(page, page.getByRole('button', { name: 'Paint it', exact: true }));
    return page.locator('.job').isVisible();
  });
  if (gallery) await lightbox(browser, gallery, 'opening a picture');
}

async function lightbox(browser, gallery, name) {
  await interact(browser, gallery, name, () => {}, async (page) => {
    await touch(page, page.locator('.hanging li a').first());
    await pause(1_000);
    await page.getByRole('dialog').waitFor();
    return true;
  });
}

/** Requests over loopback as fast as they are answered. */
async function throughput({ page, address, cookie }, { pictures, threads, connections, seconds, perSecond, p99 }) {
  progress(`requesting ${page}`);
  const wrk = async (duration) => {
    const load = [`-t${threads}`, `-c${connections}`, `-d${duration}s`, '--latency'];
    return (await promisify(execFile)('wrk', [...load, '-H', `Cookie: ${cookie}`, address])).stdout;
  };
  await wrk(1);
  const told = await wrk(seconds);
  const [middle, slowest] = ['50%', '99%'].map((share) => {
    const [, number, unit] = new RegExp(`${share}\\s+([\\d.]+)(us|ms|s)`).exec(told);
    return number * { us: 0.001, ms: 1, s: 1_000 }[unit];
  });
  const rate = Number(/Requests\/sec:\s+([\d.]+)/.exec(told)[1]);
  const failed = /Non-2xx.*|Socket errors.*/.exec(told)?.[0];
  print({
    name: 'web-throughput', page, pictures, threads, connections, seconds, per_second: rounded(rate),
    p50_ms: rounded(middle, 2), p99_ms: rounded(slowest, 2), failed,
    budget_per_second: perSecond, budget_p99_ms: p99,
    ok: !failed && rate >= (perSecond ?? 0) && slowest <= p99,
  });
}

/** Those that there are. */
async function there(pages) {
  const found = [];
  for (const page of pages) {
    const { status } = await download(page.address, page.cookie);
    if (status === 200) found.push(page);
    else if (status === 404) print({ name: 'web', page: page.page, skipped: 'there is no such page' });
    else throw new Error(`${page.page} answered ${status}`);
  }
  return found;
}

async function inBrowser(use) {
  const browser = await openBrowser();
  try {
    await use(browser);
  } finally {
    await browser.close();
  }
}

const studio = await Studio.open();
try {
  const cookie = await studio.visitor();
  progress(`painting ${SHOWN} pictures`);
  const job = await studio.paint(cookie, SHOWN);
  const at = (path) => studio.url + path;
  const home = { page: '/', address: at('/'), lcpBudget: 600, htmlBudget: BUDGET.htmlBytes };
  const gallery = { page: '/gallery', address: at('/gallery'), cookie, lcpBudget: 1_000 };
  const pages = await there([
    home,
    { page: '/restore', address: at('/restore'), lcpBudget: 600 },
    { page: '/jobs/{id}', address: at(`/jobs/${job.id}`), cookie, lcpBudget: 900 },
    gallery,
  ]);
  for (const page of pages) await weight(page);
  await inBrowser(async (browser) => {
    await least(browser);
    for (const page of pages) await load(browser, page);
    await interactions(browser, pages);
  });
  const alone = { ...home, cookie: await studio.visitor() };
  await throughput(alone, { threads: 2, connections: 32, seconds: 8, perSecond: 15_000, p99: 10 });
  if (pages.includes(gallery)) {
    progress(`asking for ${MANY} pictures`);
    await studio.paint(cookie, MANY - SHOWN, COPIES);
    await throughput(gallery, { pictures: MANY, threads: 1, connections: 1, seconds: 5, p99: 30 });
    await inBrowser((browser) => lightbox(browser, gallery, `opening one of ${MANY} pictures`));
  }
} finally {
  await studio.close();
}
