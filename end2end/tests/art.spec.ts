// The art generator with JavaScript.

import { card, discard, expect, expectShown, paint, type Page, pressOnPurpose, test, visit } from './fixtures';

const fox = 'a red fox in the snow';

test('a prompt becomes a picture that can be saved', async ({ page }) => {
  await visit(page, '/');
  await page.getByLabel('Ink', { exact: true }).check();
  await page.getByLabel('Wide', { exact: true }).check();
  await paint(page, fox);
  const job = card(page, fox);
  await expectShown(job.getByAltText(fox));
  await expect(page).toHaveURL('/');
  await expect(job).toContainText('1536 × 1024');
  await expect(page.getByRole('status')).toHaveText(/^The picture is ready: /);

  const download = page.waitForEvent('download');
  await job.getByRole('link', { name: 'Download' }).click();
  expect((await download).suggestedFilename()).toBe('a-red-fox-in-the-snow.png');
  expect(await (await download).failure()).toBeNull();

  await page.reload();
  await expectShown(page.getByRole('region', { name: 'Recent' }).getByAltText(fox));
});

test('Ctrl+Enter sends, and two are painted at once', async ({ page }) => {
  await visit(page, '/');
  const prompt = page.getByLabel('Prompt');
  for (const words of ['a lighthouse at dusk', 'a desert at noon']) {
    await prompt.fill(words);
    await prompt.press('Control+Enter');
    await expect(card(page, words)).toBeVisible();
  }
  await expectShown(card(page, 'a lighthouse at dusk').getByRole('img'));
  await expectShown(card(page, 'a desert at noon').getByRole('img'));
});

test('a key that is held down sends once, and one that ends a composition does not', async ({ page }) => {
  await visit(page, '/');
  const sent: string[] = [];
  page.on('request', (request) => request.method() === 'POST' && sent.push(request.url()));
  const prompt = page.getByLabel('Prompt');
  await prompt.fill(fox);
  await prompt.dispatchEvent('keydown', { key: 'Enter', ctrlKey: true, isComposing: true, bubbles: true });
  await prompt.focus();
  await hold(page, 'Control+Enter');
  await expectShown(card(page, fox).getByRole('img'));
  expect(sent).toHaveLength(1);
  await card(page, fox).getByRole('button', { name: 'Paint again' }).focus();
  await hold(page, 'Enter');
  await expect(card(page, fox).getByRole('img')).toHaveCount(2);
  expect(sent).toHaveLength(2);
  await prompt.fill('two');
  await hold(page, 'Enter');
  await expect(prompt).toHaveValue(/^two\n{20}$/);
});

/** Presses keys and does not let go of the last until it has been repeated many times. */
async function hold(page: Page, keys: string): Promise<void> {
  const names = keys.split('+');
  for (const name of names) await page.keyboard.down(name);
  for (let times = 1; times < 20; times++) await page.keyboard.down(names.at(-1)!);
  for (const name of names.reverse()) await page.keyboard.up(name);
}

test('"again" paints another one', async ({ page }) => {
  await visit(page, '/');
  await paint(page, fox);
  await card(page, fox).getByRole('button', { name: 'Paint again' }).click();
  const pictures = card(page, fox).getByRole('img');
  await expect(pictures).toHaveCount(2);
  const [first, second] = await pictures.evaluateAll((all) => all.map((img) => img.getAttribute('src')));
  expect(first).not.toBe(second);
  await expect(page.getByText('for the same words')).toHaveCount(0);
});

test('the same prompt again is answered from the cache, which says so', async ({ page }) => {
  await visit(page, '/');
  await paint(page, fox);
  await expectShown(card(page, fox).getByRole('img'));
  await visit(page, '/');
  await paint(page, `  ${fox} `);
  const job = card(page, fox);
  await expect(job).toContainText('Painted just now for the same prompt.');
  await expectShown(job.getByRole('img'));
  await job.getByRole('button', { name: 'Paint a new one' }).click();
  await expect(card(page, fox)).toHaveCount(2);
  await expect(card(page, fox).first()).not.toContainText('for the same words');
});

test('the quality of a picture stays within what the form offers', async ({ page }) => {
  await visit(page, '/');
  await page.getByLabel('Quality').selectOption('high');
  await paint(page, fox);
  await expect(card(page, fox).getByRole('definition').filter({ hasText: 'high' })).toBeVisible();
});

test('several are asked for at once, and the actions are for the chosen one', async ({ page }) => {
  await visit(page, '/');
  await page.getByLabel('How many').selectOption('2');
  await paint(page, fox);
  const job = card(page, fox);
  await expectShown(job.getByAltText(`${fox}, picture 2 of 2`));
  const download = job.getByRole('link', { name: 'Download' });
  await expect(download).toHaveCount(1);
  await expect(download).toHaveAttribute('href', /picture=1$/);
  await job.getByRole('radio').nth(1).check({ force: true });
  await expect(download).toHaveAttribute('href', /picture=2$/);
  await job.getByText('More', { exact: true }).click();
  await expect(job.getByRole('link', { name: 'JPEG' })).toHaveAttribute('href', /picture=2&/);
  await page.keyboard.press('Escape');
  await expect(job.getByRole('link', { name: 'JPEG' })).toBeHidden();
  await expect(job.getByText('More', { exact: true })).toBeFocused();
  await job.getByText('More', { exact: true }).click();
  await page.getByRole('heading', { level: 1 }).click();
  await expect(job.getByRole('link', { name: 'JPEG' }), 'a click elsewhere closes the menu').toBeHidden();
  await page.getByLabel('Prompt').fill('another');
  await job.getByText('More', { exact: true }).click();
  await job.getByRole('button', { name: 'Enlarge' }).click();
  await expectShown(page.locator('.job').first().getByAltText(fox, { exact: true }));
  await expect(page.locator('.job').first()).toContainText('2048 × 2048');
});

test('an idea is written into the form, and can be undone', async ({ page }) => {
  await visit(page, '/');
  const prompt = page.getByLabel('Prompt');
  await page.getByLabel('Ink', { exact: true }).check();
  await expect(page.getByText('black ink drawing with fine hatching')).toBeVisible();
  await prompt.fill('of my own');
  await page.getByRole('link', { name: 'surprise me' }).click();
  await expect(prompt).not.toHaveValue('of my own');
  await expect(prompt).not.toHaveValue('');
  await expect(prompt).toBeFocused();
  await expect(page.getByLabel('Ink', { exact: true })).toBeChecked();
  await page.keyboard.press('Control+z');
  await expect(prompt).toHaveValue('of my own');
});

test('a deleted picture can be taken back, and is gone when the page is left', async ({ page }) => {
  await visit(page, '/');
  await paint(page, fox);
  const job = page.locator('.job');
  await discard(job);
  await expect(job.getByText('Deleted.')).toBeVisible();
  await expect(job.getByRole('img')).toBeHidden();
  const undo = job.getByRole('button', { name: 'Undo' });
  await expect(undo).toBeFocused();
  await undo.click();
  await expectShown(job.getByRole('img'));
  await discard(job);
  await expect
    .poll(async () => {
      await visit(page, '/gallery');
      return page.getByText('Nothing yet').count();
    })
    .toBe(1);
});

test('a picture is shared until its owner stops that', async ({ browser, page, studio }) => {
  await visit(page, '/');
  await paint(page, fox);
  await card(page, fox).getByRole('link', { name: fox, exact: true }).click();
  await expect(page).toHaveURL(/\/jobs\//);
  const other = await (await browser.newContext({ baseURL: studio.url })).newPage();
  const seen = async () => (await other.goto(page.url()))?.status();
  expect(await seen()).toBe(200);
  await expect(other.getByRole('button', { name: 'Delete' })).toHaveCount(0);
  await page.getByText('More', { exact: true }).click();
  await page.getByRole('button', { name: 'Stop sharing' }).click();
  await expect(page.getByText('Only you can see this page.')).toBeVisible();
  expect(await seen()).toBe(404);
  await page.getByText('More', { exact: true }).click();
  await page.getByRole('button', { name: 'Share again' }).click();
  await expect(page.getByText('Only you can see this page.')).toBeHidden();
  expect(await seen()).toBe(200);
  await other.context().close();
});

test('the words can be copied, and the picture saved without them', async ({ context, page }) => {
  await context.grantPermissions(['clipboard-read', 'clipboard-write']);
  await visit(page, '/');
  await paint(page, fox);
  const job = card(page, fox);
  await job.getByText('More', { exact: true }).click();
  await job.getByRole('button', { name: 'Copy prompt' }).click();
  await expect(job.getByRole('button', { name: 'Prompt copied' })).toBeVisible();
  expect(await page.evaluate(() => navigator.clipboard.readText())).toBe(fox);
  for (const name of ['JPEG', 'Without embedded prompt']) {
    const download = page.waitForEvent('download');
    await job.getByRole('link', { name }).click();
    expect((await download).suggestedFilename()).toMatch(/^a-red-fox-in-the-snow\.(jpg|png)$/);
  }
});

test('who writes while a picture is deleted goes on writing', async ({ page }) => {
  await page.clock.install();
  await visit(page, '/');
  await paint(page, fox);
  await expectShown(card(page, fox).getByRole('img'));
  await discard(card(page, fox));
  await page.getByLabel('Prompt').focus();
  await page.clock.fastForward(11_000);
  await expect(page.locator('.job')).toHaveCount(0);
  await expect(page.getByLabel('Prompt')).toBeFocused();
});

test('a key pressed twice to delete does not take it back', async ({ page }) => {
  await visit(page, '/');
  await paint(page, fox);
  const job = page.locator('.job');
  await job.getByText('More', { exact: true }).click();
  await job.getByRole('button', { name: 'Delete' }).focus();
  await page.keyboard.press('Enter');
  await page.keyboard.press('Enter');
  await expect(job.getByText('Deleted.')).toBeVisible();
  await expect(job.getByRole('button', { name: 'Undo' })).toBeFocused();
  await pressOnPurpose(page, job.getByRole('img'));
});

test.describe('with a slow model', () => {
  test.use({ answers: Array(8).fill('hang') });

  test('the jobs of all tabs leave connections for everything else', async ({ context, page }) => {
    const polls: string[] = [];
    const waiting = new Set();
    context.on('request', (request) => {
      const query = /\/api\/jobs\/[\w-]+\?(.*)$/.exec(request.url())?.[1];
      if (query === undefined) return;
      polls.push(query);
      if (!query.startsWith('wait=0&')) waiting.add(request);
      expect(waiting.size, 'polls that wait').toBeLessThanOrEqual(2);
    });
    for (const event of ['requestfinished', 'requestfailed'] as const) {
      context.on(event, (request) => waiting.delete(request));
    }
    await visit(page, '/');
    for (let number = 1; number <= 8; number++) {
      await paint(page, `fox ${number}`);
      await expect(card(page, `fox ${number}`)).toBeVisible();
    }
    const others = [await context.newPage(), await context.newPage()];
    for (const tab of others) {
      await visit(tab, '/');
      await expect(tab.getByRole('progressbar')).toHaveCount(8);
    }
    const asked = polls.length;
    await expect.poll(() => polls.length).toBeGreaterThan(asked + 24);
    const gallery = await context.newPage();
    await gallery.goto('/gallery', { timeout: 10_000 });
    await expect(gallery.getByRole('heading', { name: 'Your gallery' })).toBeVisible();
    expect(polls.filter((query) => !/^wait=(0|25)&after=\d+$/.test(query)), 'each says how long it waits').toEqual([]);
    expect(polls.some((query) => query.startsWith('wait=25&')), 'some wait').toBe(true);
  });
});

test.describe('with a quick model', () => {
  test.use({ answers: [] });

  test('a page that is left open does not grow', async ({ page }) => {
    test.slow();
    await visit(page, '/');
    const browser = await page.context().newCDPSession(page);
    await browser.send('Performance.enable');
    const weighed = async () => {
      await browser.send('HeapProfiler.collectGarbage');
      const { metrics } = await browser.send('Performance.getMetrics');
      const figure = (name: string) => metrics.find((metric) => metric.name === name)!.value;
      return { listeners: figure('JSEventListeners'), nodes: figure('Nodes') };
    };
    let number = 0;
    const order = async (times: number) => {
      for (const last = number + times; number < last; ) {
        await paint(page, `fox ${++number}`);
        await expect(card(page, `fox ${number}`)).toBeVisible();
      }
      await expect(page.getByRole('progressbar')).toHaveCount(0);
    };
    await order(60);
    const before = await weighed();
    await order(60);
    const after = await weighed();
    expect(after.listeners).toBeLessThanOrEqual(before.listeners);
    expect(after.nodes).toBeLessThan(before.nodes * 1.05);
    await expect(page.locator('.job')).toHaveCount(49);
  });
});

test.describe('with a model that refuses', () => {
  test.use({ answers: ['unsafe'] });

  test('what failed is still there after a reload, and can be deleted', async ({ page }) => {
    await visit(page, '/');
    await paint(page, fox);
    await expect(card(page, fox).getByRole('alert').first()).toHaveText(/refused/);
    await visit(page, '/');
    await expect(card(page, fox).getByRole('alert').first()).toHaveText(/refused/);
    await card(page, fox).getByRole('button', { name: 'Delete' }).click();
    await expect(page.getByRole('button', { name: 'Undo' })).toBeFocused();
  });
});

test.describe('with a model', () => {
  test.use({ answers: [] });

  test('the price follows quality, shape and number', async ({ page }) => {
    await visit(page, '/');
    const price = page.locator('.prices data').filter({ visible: true });
    const shown = { useInnerText: true };
    await expect(price).toHaveText('About $0.22 a picture.', shown);
    await page.getByLabel('Quality').selectOption('low');
    await expect(price).toHaveText('About $0.012 a picture.', shown);
    await page.getByLabel('Wide').check();
    await expect(price).toHaveText('About $0.015 a picture.', shown);
    await page.getByLabel('How many').selectOption('4');
    await expect(price).toHaveText('About $0.015 a picture. 4 cost about $0.060.', shown);
  });

  test('a picture is changed as told', async ({ page }) => {
    await visit(page, '/');
    await paint(page, fox);
    const job = card(page, fox);
    await job.getByText('Edit', { exact: true }).click();
    await job.getByLabel('What should change?').fill('make it night');
    await job.getByRole('button', { name: 'Apply the change' }).click();
    const changed = card(page, 'make it night');
    await expectShown(changed.getByRole('img'));
    await changed.getByRole('link', { name: 'another picture' }).click();
    await expect(page.getByRole('heading', { name: fox })).toBeVisible();
  });
});

const limit = (unit: string, scope: string, quota: number) =>
  ['[[limits]]', 'name = "few"', 'algorithm = "fixed_window"', 'window = "1d"']
    .concat(`unit = "${unit}"`, `scope = "${scope}"`, `quota = ${quota}`)
    .join('\n');

test.describe('over the limit', () => {
  test.use({ limits: limit('images', 'ip', 1) });

  test('the words say when it renews, and what was painted before can still be had', async ({ page }) => {
    await visit(page, '/');
    await expect(page.getByText('1 of 1 pictures left today.')).toBeVisible();
    await paint(page, fox);
    await expect(page.getByText(/^No pictures left today\. Come back in \d/)).toBeVisible();
    await expectShown(card(page, fox).getByAltText(fox));
    await paint(page, 'one more');
    await expect(page.locator('form.desk').getByRole('alert')).toHaveText(/Try again in \d+\s/);
    await expect(page.getByText(/^No pictures left today/), 'said once').toBeHidden();
    await expect(page.getByLabel('Prompt')).toHaveValue('one more');
    await expect(card(page, 'one more')).toHaveCount(0);
    await paint(page, fox);
    await expect(card(page, fox)).toHaveCount(2);
    await expect(page.locator('form.desk').getByRole('alert')).toHaveCount(0);
    await expect(page.getByText(/^No pictures left today/)).toBeVisible();
  });
});

test.describe('a failure under a limit', () => {
  test.use({ limits: limit('images', 'ip', 1), answers: ['unsafe'] });

  test('costs nothing, and the words say so', async ({ page }) => {
    await visit(page, '/');
    await paint(page, fox);
    await expect(card(page, fox).getByRole('alert')).toHaveText(/refused/);
    await expect(page.getByText('1 of 1 pictures left today.')).toBeVisible();
  });
});

test.describe('without money', () => {
  test.use({ limits: limit('usd', 'global', 0.01), answers: [] });

  test('the words say so, plainly', async ({ page }) => {
    await visit(page, '/');
    await expect(page.getByText(/^The studio's budget for today is spent\. Come back in \d/)).toBeVisible();
    await paint(page, fox);
    await expect(page.locator('form.desk').getByRole('alert')).toHaveText(/more than the studio may spend/);
  });
});
