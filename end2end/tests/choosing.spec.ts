// Several models to choose from, where the operator offers them.

import AxeBuilder from '@axe-core/playwright';
import { card, expect, expectShown, paint, type Locator, type Page, photo, restore, test, visit } from './fixtures';

test.use({
  answers: [],
  limits: `limits = []
[studio]
picture_choices = ["openai/gpt-image-1", "local/sketch-1"]
photo_choices = "local/restorer-1"`,
});

const model = (page: Page, name: string) => page.getByRole('radio', { name, exact: true });

/** Chooses a model, whatever it costs. */
const choose = (at: Page | Locator, name: string) => at.getByRole('radio', { name: new RegExp(`^${name} `) }).check();

test('each model has its price for what is chosen', async ({ page }) => {
  await visit(page, '/');
  await expect(model(page, 'gpt-image-2 $0.22')).toBeChecked();
  await expect(model(page, 'gpt-image-1 $0.26')).toBeVisible();
  await expect(model(page, 'Built-in sketch engine free')).toBeVisible();
  await page.getByLabel('Quality').selectOption('low');
  await expect(model(page, 'gpt-image-2 $0.012')).toBeVisible();
  await page.getByLabel('Wide').check();
  await page.getByLabel('How many').selectOption('4');
  await expect(model(page, 'gpt-image-2 $0.060')).toBeVisible();
  await expect(page.locator('p.prices')).toHaveCount(0);
});

test('the chosen model makes it, is remembered, and makes the next one', async ({ page }) => {
  await visit(page, '/');
  await choose(page, 'gpt-image-1');
  await paint(page, 'a boat');
  const boat = card(page, 'a boat');
  await expectShown(boat.getByRole('img'));
  await expect(boat).toContainText('openai/gpt-image-1');
  const id = await boat.getAttribute('data-id');
  await page.reload();
  await expect(page.locator('[value="openai/gpt-image-1"]')).toBeChecked();
  await choose(page, 'gpt-image-2');
  await page.goto(`/jobs/${id}`);
  await page.getByRole('button', { name: 'Paint again' }).click();
  await expect(page).not.toHaveURL(`/jobs/${id}`);
  await expect(page.locator('.job')).toContainText('openai/gpt-image-1');
  await page.getByText('More', { exact: true }).click();
  await page.getByRole('link', { name: 'Edit prompt' }).click();
  await expect(page.locator('[value="openai/gpt-image-1"]')).toBeChecked();
  await expect(page.locator('[value="openai/gpt-image-2"]')).not.toBeChecked();
});

test('a model that draws from words alone is offered no pictures', async ({ page }) => {
  await visit(page, '/');
  const attach = page.getByText('Attach pictures', { exact: true });
  await expect(attach).toBeVisible();
  await choose(page, 'Built-in sketch engine');
  await expect(attach).toBeHidden();
  await choose(page, 'gpt-image-2');
  await page.getByLabel('Attach pictures').setInputFiles(photo);
  await expect(page.getByText(/sent to OpenAI/).filter({ visible: true })).toHaveCount(1);
  await choose(page, 'Built-in sketch engine');
  await paint(page, 'at night');
  await expect(page.locator('.desk').getByRole('alert').last()).toHaveText(/no pictures from pictures/);
});

test('a photo is restored by one, and again by the other', async ({ page }) => {
  await visit(page, '/restore');
  const strength = page.locator('.desk').getByRole('slider', { name: 'Strength' });
  await expect(page.getByText(/is sent to OpenAI/)).toBeVisible();
  await expect(strength).toBeHidden();
  await choose(page, 'Built-in restorer');
  await expect(strength).toBeVisible();
  await expect(page.getByText(/sent to OpenAI/)).toBeHidden();
  await expect(page.getByText(/stays on this server/)).toBeVisible();
  await restore(page, photo);
  const first = card(page, 'A restored photo');
  await expectShown(first.getByAltText('The photo, restored'));
  await expect(first.locator('.facts')).toContainText('Built-in restorer');
  const sent: number[] = [];
  page.on('request', (request) => request.method() === 'POST' && sent.push(request.postDataBuffer()?.length ?? 0));
  await first.getByText('Adjust', { exact: true }).click();
  const adjust = first.locator('.adjust');
  await expect(adjust.getByRole('radio', { name: /^Built-in restorer/ })).toBeChecked();
  await expect(adjust.getByRole('combobox', { name: 'Size' })).toBeVisible();
  await choose(adjust, 'gpt-image-2');
  await expect(adjust.getByRole('combobox', { name: 'Size' })).toBeHidden();
  await expect(adjust.getByText(/is sent to OpenAI/)).toBeVisible();
  await adjust.getByRole('button', { name: 'Restore again' }).click();
  const second = page.locator('.job').first();
  await expect(second.locator('.facts')).toContainText('openai/gpt-image-2');
  await expect(page.locator('.job')).toHaveCount(2);
  expect(sent).toHaveLength(1);
  expect(sent[0]).toBeLessThan(2_000);
});

test('the fold opens below the actions', async ({ page }) => {
  await visit(page, '/restore');
  await restore(page, photo);
  const job = card(page, 'A restored photo');
  await expectShown(job.getByAltText('The photo, restored'));
  const others = job.locator('.actions > :not(.more)');
  const places = () => others.evaluateAll((all: HTMLElement[]) => all.map((each) => [each.offsetLeft, each.offsetTop]));
  const before = await places();
  await job.getByText('Adjust', { exact: true }).click();
  await expect(job.locator('.adjust')).toBeVisible();
  expect(await places()).toEqual(before);
});

for (const colorScheme of ['light', 'dark'] as const) {
  test(`nobody is kept from choosing, ${colorScheme}`, async ({ page }) => {
    await page.emulateMedia({ colorScheme });
    for (const path of ['/', '/restore']) {
      await page.goto(path);
      const { violations } = await new AxeBuilder({ page }).analyze();
      expect(violations).toEqual([]);
    }
  });
}
