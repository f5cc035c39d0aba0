// A restored photo is adjusted where it lies.

import { card, drag, expect, expectShown, photo, restore, test, visit } from './fixtures';

const name = 'A restored photo';

test.beforeEach(async ({ page }) => {
  await visit(page, '/restore');
  await restore(page, photo);
  await expectShown(card(page, name).getByAltText('The photo, restored'));
});

test('the strength is seen at once, and downloaded', async ({ page }) => {
  const job = card(page, name);
  const before = job.locator('.before img');
  const mask = () => before.evaluate((img) => getComputedStyle(img).maskImage);
  const download = job.getByRole('button', { name: 'Download at this strength' });
  expect(await mask()).toBe('none');
  await expect(download).toBeHidden();
  await job.getByLabel('Side by side').check();
  await job.getByRole('slider', { name: 'Strength' }).fill('40');
  await expect(job.getByText('40 %', { exact: true })).toBeVisible();
  await expect(job.getByLabel('Side by side')).not.toBeChecked();
  expect(await mask()).toContain('rgba(0, 0, 0, 0.6)');
  const saved = page.waitForEvent('download');
  await download.click();
  expect((await saved).suggestedFilename()).toBe('photo-restored.jpg');
  await job.getByRole('slider', { name: 'Strength' }).fill('100');
  expect(await mask()).toBe('none');
});

test('size and colours are changed without uploading', async ({ page }) => {
  const sent: number[] = [];
  page.on('request', (request) => request.method() === 'POST' && sent.push(request.postDataBuffer()?.length ?? 0));
  const job = card(page, name);
  await job.getByText('Adjust', { exact: true }).click();
  await job.getByRole('combobox', { name: 'Size' }).selectOption('2');
  await job.getByLabel('Black and white').check();
  await job.getByRole('button', { name: 'Restore again' }).click();
  const second = page.locator('.job').first();
  await expect(second).toContainText('1200 × 880');
  await expect(second).toContainText('Black and white');
  await expect(page.locator('.job')).toHaveCount(2);
  expect(sent).toHaveLength(1);
  expect(sent[0]).toBeLessThan(2_000);
});

test('what is left is painted over', async ({ page }) => {
  const job = card(page, name);
  await job.getByText('Adjust', { exact: true }).click();
  await job.getByLabel('Repair more').check();
  const button = job.getByRole('button', { name: 'Repair what I painted' });
  await button.click();
  await expect(job.locator('.adjust').getByRole('alert').last()).toHaveText('First paint over what should change.');
  await drag(page, job.locator('.adjust canvas:not([hidden])'), [0.2, 0.2], [0.6, 0.5]);
  await button.click();
  const second = page.locator('.job').first();
  await expect(second).toContainText('What you painted over');
  await expectShown(second.getByAltText('The photo, restored').first());
});

test('a photo that has expired cannot be adjusted, and that is said', async ({ page }) => {
  const job = card(page, name);
  await job.getByText('Adjust', { exact: true }).click();
  const id = await job.getAttribute('data-id');
  expect((await page.request.delete(`/api/jobs/${id}`)).ok()).toBe(true);
  await job.getByRole('button', { name: 'Restore again' }).click();
  await expect(job.locator('.adjust').getByRole('alert').first()).toHaveText(/was deleted or has expired/);
});
