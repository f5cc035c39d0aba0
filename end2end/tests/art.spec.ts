import { card, expect, expectPicture, paint, test } from './fixtures';

test('a prompt becomes a picture in place', async ({ page, studio }) => {
  await page.goto(studio.url);
  await paint(page, 'a red boat on a calm sea');
  await expectPicture(page, 'a red boat on a calm sea');
  const download = page.waitForEvent('download');
  await card(page).getByRole('link', { name: 'Download' }).click();
  expect((await download).suggestedFilename()).toBe('a-red-boat-on-a-calm-sea.png');
});

test('Ctrl and Enter send the form', async ({ page, studio }) => {
  await page.goto(studio.url);
  const prompt = page.getByLabel('The picture in words');
  await prompt.fill('a fox');
  await prompt.press('Control+Enter');
  await expectPicture(page, 'a fox');
});

test('the same words are answered from the cache, and painted anew on request', async ({ page, studio }) => {
  await page.goto(studio.url);
  await paint(page, 'two cats');
  await expectPicture(page, 'two cats');
  await paint(page, 'two cats');
  await expect(page.getByText('Painted before for the same words.')).toBeVisible();
  await page.getByRole('button', { name: 'Paint a new one' }).click();
  await expect(page.locator('.jobs .job[data-status=succeeded]')).toHaveCount(3);
  const pictures = await page.locator('.jobs .job img').evaluateAll(all => all.map(img => img.getAttribute('src')));
  expect(new Set(pictures).size).toBe(2);
});

test('a job is called off while the provider is silent', async ({ page, start, provider }) => {
  provider.script.push('hang');
  const studio = await start({ environment: provider.environment });
  await page.goto(studio.url);
  await paint(page, 'a tower');
  await expect(page.locator('.job[data-status=running]')).toBeVisible();
  await page.getByRole('button', { name: 'Call it off' }).click();
  await expect(page.locator('.job[data-status=cancelled]')).toBeVisible();
  await expect(page.getByRole('button', { name: 'Paint it after all' })).toBeVisible();
});

test('two jobs are under way at once and survive leaving the page', async ({ page, start, provider }) => {
  provider.script.push('hang', 'hang');
  const studio = await start({ environment: provider.environment });
  await page.goto(studio.url);
  await paint(page, 'first');
  await expect(page.locator('.jobs .job')).toHaveCount(1);
  await paint(page, 'second');
  await expect(page.locator('.jobs .job')).toHaveCount(2);
  await page.goto(`${studio.url}/restore`);
  await page.goto(studio.url);
  await expect(page.locator('.jobs .job[data-status=running]')).toHaveCount(2);
});

test('a refusal is told in words with a way out', async ({ page, start, provider }) => {
  provider.script.push({ status: 400, code: 'moderation_blocked' });
  const studio = await start({ environment: provider.environment });
  await page.goto(studio.url);
  await paint(page, 'something refused');
  await expect(card(page).getByRole('alert').first()).toContainText('refused this request as unsafe');
  await card(page).getByRole('link', { name: 'Change the words' }).click();
  await expect(page.getByLabel('The picture in words')).toHaveValue('something refused');
});

test('over the limit the form says when to come back', async ({ page, start }) => {
  const file = `[[limits]]
    name = "daily-pictures"
    scope = "ip"
    unit = "images"
    algorithm = "fixed_window"
    quota = 1
    window = "1d"`;
  const studio = await start({ file });
  await page.goto(studio.url);
  await expect(page.locator('[data-left]')).toContainText('1 of 1');
  await paint(page, 'the only one');
  await expectPicture(page, 'the only one');
  await expect(page.locator('[data-left]')).not.toContainText('1 of 1');
  await paint(page, 'one too many');
  await expect(page.locator('form.desk [data-alert]')).toContainText('renews in');
});

test('a lost connection is said, not spun', async ({ page, start, provider }) => {
  provider.script.push('hang');
  const studio = await start({ environment: provider.environment });
  await page.goto(studio.url);
  await paint(page, 'a bridge');
  await expect(page.locator('.job[data-status=running]')).toBeVisible();
  studio.stop();
  await expect(card(page).locator('[data-trouble]')).toContainText('Connection lost');
});
