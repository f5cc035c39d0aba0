// What browsers disagree about, in Chromium and in Firefox.

import { card, discard, expect, expectShown, paint, type Page, photo, restore, test, visit } from './fixtures';

const fox = 'a red fox in the snow';

test('a prompt becomes a picture, which is found, looked at and deleted', async ({ page }) => {
  await visit(page, '/');
  await page.getByLabel('Ink', { exact: true }).check();
  await page.getByLabel('Wide', { exact: true }).check();
  await paint(page, fox);
  await expectShown(card(page, fox).getByAltText(fox));
  await expect(card(page, fox)).toContainText('1536 × 1024');
  await paint(page, 'a windmill');
  await expectShown(card(page, 'a windmill').getByAltText('a windmill'));
  const link = (name: string) => page.getByRole('link', { name, exact: true });
  await link('Gallery').click();
  await page.getByRole('searchbox').fill('fox');
  await page.getByRole('searchbox').press('Enter');
  await expect(page.locator('[data-shelf] li')).toHaveCount(1);
  await visit(page, '/gallery');
  await link('a windmill').click();
  const box = page.getByRole('dialog');
  await expectShown(box.getByAltText('a windmill'));
  await page.keyboard.press('ArrowRight');
  await expectShown(box.getByAltText(fox));
  await page.keyboard.press('Escape');
  await expect(box).toBeHidden();
  page.once('dialog', (dialog) => void dialog.accept());
  await link('a windmill').focus();
  await page.keyboard.press('Delete');
  await expect(link('a windmill')).toBeHidden();
  await page.getByRole('button', { name: 'Undo' }).click();
  await expect(link('a windmill')).toBeVisible();
});

test('a photo is restored, compared and deleted', async ({ page }) => {
  await visit(page, '/restore');
  await restore(page, photo);
  const job = card(page, 'A restored photo');
  await expectShown(job.getByAltText('The photo, restored'));
  const [before, slider] = [job.locator('.before img'), job.locator('.part input')];
  await expectShown(before);
  const clip = () => before.evaluate((img) => getComputedStyle(img).clipPath);
  const half = await clip();
  await slider.press('ArrowRight');
  await expect(slider).toHaveValue('51');
  await expect.poll(clip).not.toBe(half);
  await job.getByText('More', { exact: true }).click();
  const deleting = job.getByRole('button', { name: 'Delete now' });
  const asked: string[] = [];
  page.on('dialog', (dialog) => {
    asked.push(dialog.message());
    void (asked.length > 1 ? dialog.accept() : dialog.dismiss());
  });
  await deleting.click();
  await expect.poll(() => asked.length).toBe(1);
  await expect(job).toBeVisible();
  await deleting.click();
  await expect(page.locator('.note', { hasText: 'The photo and its restored version are deleted.' })).toBeFocused();
  await expect(job).toHaveCount(0);
  await page.reload();
  await expect(page.getByAltText('The photo, restored')).toHaveCount(0);
});

test('the dials stand in lines, and the button for photos is under no text', async ({ page }) => {
  await page.setViewportSize({ width: 1000, height: 800 });
  await visit(page, '/');
  const tops = await page.locator('.dials :is(legend, .pick > span)').evaluateAll((labels) =>
    labels.map((label) => Math.round(label.getBoundingClientRect().top)),
  );
  const [, ...row] = tops;
  expect(new Set(row).size, `the labels of one row: ${row}`).toBe(1);
  await visit(page, '/restore');
  await page.getByLabel('Choose a photo').setInputFiles(photo);
  await expect(page.locator('.drop .button')).toHaveText('Choose photos');
  expect(await page.getByLabel('Choose a photo').evaluate((input) => getComputedStyle(input).opacity)).toBe('0');
});

test('placeholders can be read', async ({ page }) => {
  await visit(page, '/');
  await paint(page, fox);
  await expectShown(card(page, fox).getByAltText(fox));
  for (const path of ['/', '/gallery']) {
    await visit(page, path);
    const field = page.locator('#prompt, #q');
    const pale = await field.evaluate((input) => getComputedStyle(input, '::placeholder').opacity);
    expect(pale).toBe('1');
  }
});

/** Everything that the visitor has, by the API. */
const jobs = async (page: Page): Promise<number> => (await (await page.request.get('/api/jobs')).json()).jobs.length;

test('what was deleted does not come back with the page', async ({ page }) => {
  await visit(page, '/');
  await paint(page, fox);
  await expectShown(card(page, fox).getByAltText(fox));
  await discard(card(page, fox));
  await expect(page.getByRole('button', { name: 'Undo' })).toBeFocused();
  await page.getByRole('link', { name: 'Restore', exact: true }).click();
  await expect(page).toHaveURL('/restore');
  await expect.poll(() => jobs(page)).toBe(0);
  await page.goBack();
  await expect(page).toHaveURL('/');
  await expect(card(page, fox)).toHaveCount(0);
  await expect(page.getByAltText(fox)).toHaveCount(0);
});

test('a page that is brought back as it was loses what was deleted', async ({ page }) => {
  await visit(page, '/');
  for (const name of [fox, 'a windmill']) {
    await paint(page, name);
    await expectShown(card(page, name).getByAltText(name));
  }
  await visit(page, '/gallery');
  await page.getByLabel(`Choose “${fox}”`).check();
  await page.getByRole('button', { name: 'Delete chosen' }).click();
  await expect(page.locator('[data-toast]')).toBeVisible();
  // What a browser does with a page that it keeps; whether it keeps one is its own affair.
  await page.evaluate(() => {
    dispatchEvent(new PageTransitionEvent('pagehide', { persisted: true }));
    dispatchEvent(new PageTransitionEvent('pageshow', { persisted: true }));
  });
  await expect(page.locator('[data-toast]')).toBeHidden();
  await expect(page.locator('[data-shelf] li')).toHaveCount(1);
  await expect.poll(() => jobs(page)).toBe(1);
});

test('a draft is there again after another page, after Back and after loading the page again', async ({ page }) => {
  await visit(page, '/');
  const prompt = page.locator('#prompt');
  await prompt.fill('half a sentence');
  await page.getByLabel('Ink', { exact: true }).check();
  await page.locator('[name=n]').selectOption('2');
  const expectDraft = async () => {
    await expect(prompt).toHaveValue('half a sentence');
    await expect(page.getByLabel('Ink', { exact: true })).toBeChecked();
    await expect(page.locator('[name=n]')).toHaveValue('2');
  };
  await page.getByRole('link', { name: 'Gallery', exact: true }).click();
  await expect(page).toHaveURL('/gallery');
  await page.getByRole('link', { name: 'Paint', exact: true }).click();
  await expectDraft();
  await page.getByRole('link', { name: 'Restore', exact: true }).click();
  await expect(page).toHaveURL('/restore');
  await page.goBack();
  await expectDraft();
  await page.reload();
  await expectDraft();
});
