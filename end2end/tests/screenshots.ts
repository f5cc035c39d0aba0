// Pictures of the pages for people to look at, in results/screens.

import { readFileSync } from 'node:fs';
import { card, drag, expect, expectShown, paint, type Page, photo, restore, test, visit } from './fixtures';

const boat = 'a red boat on a calm sea at sunset, watercolour';

/** Chooses how many pictures are painted; a phone folds the field away once something is under way. */
async function many(page: Page, number: string): Promise<void> {
  const field = page.getByLabel('How many');
  if (!(await field.isVisible())) await page.getByText('Style, shape and more').click();
  await field.selectOption(number);
}

test('empty and finished', async ({ page }) => {
  await visit(page, '/');
  await shoot(page, 'art-empty');
  await paint(page, boat);
  await expectShown(card(page, boat).getByRole('img'));
  await shoot(page, 'art-finished');
  await visit(page, '/');
  await shoot(page, 'art-wall');
  await visit(page, '/restore');
  await shoot(page, 'restore-empty');
  await page.getByLabel('Choose a photo').setInputFiles(photo);
  await expectShown(page.getByAltText('The photo you chose'));
  await shoot(page, 'restore-chosen');
  await page.getByLabel('Repair only what I paint over').check();
  await drag(page, page.locator('.easel'), [0.15, 0.15], [0.45, 0.75]);
  await shoot(page, 'restore-painting');
  await page.getByLabel('Repair only what I paint over').uncheck();
  await page.getByRole('button', { name: 'Restore it' }).click();
  await expectShown(page.getByAltText('The photo, restored'));
  await shoot(page, 'restore-finished');
  await page.getByLabel('Side by side').check();
  await shoot(page, 'restore-side-by-side');
  await page.getByText('Adjust', { exact: true }).click();
  await page.locator('.job').getByRole('slider', { name: 'Strength' }).fill('40');
  await page.getByLabel('Repair more').check();
  await shoot(page, 'restore-adjusting');
  await page.goto('/nowhere');
  await shoot(page, 'nowhere');
});

test('a picture by itself', async ({ page }) => {
  await visit(page, '/');
  await many(page, '4');
  await paint(page, boat);
  await expect(page.locator('.several img')).toHaveCount(4);
  for (const image of await page.locator('.several img').all()) await expectShown(image);
  await shoot(page, 'art-several');
  await many(page, '1');
  await page.getByLabel('Tall').check();
  await paint(page, 'a lighthouse by the sea');
  const lighthouse = card(page, 'a lighthouse by the sea');
  await expectShown(lighthouse.getByRole('img'));
  await lighthouse.getByRole('link', { name: 'a lighthouse by the sea' }).click();
  await expectShown(lighthouse.getByRole('img'));
  await page.getByText('More', { exact: true }).click();
  await shoot(page, 'job-own');
  await page.context().clearCookies();
  await page.reload();
  await expectShown(lighthouse.getByRole('img'));
  await shoot(page, 'job-shared');
});

test.describe('with a limit', () => {
  test.use({
    limits: `[[limits]]
name = "pictures"
scope = "ip"
unit = "images"
algorithm = "fixed_window"
quota = 1
window = "1d"`,
  });

  test('spent', async ({ page }) => {
    await visit(page, '/');
    await paint(page, boat);
    await expectShown(card(page, boat).getByRole('img'));
    await paint(page, 'another boat');
    await expect(page.locator('.desk').getByRole('alert')).not.toBeEmpty();
    await shoot(page, 'art-spent');
  });
});

test('gallery', async ({ page }) => {
  await visit(page, '/gallery');
  await shoot(page, 'gallery-empty');
  await visit(page, '/');
  await page.getByLabel('Poster', { exact: true }).check();
  await shoot(page, 'art-style');
  for (const prompt of [boat, 'a fox in the snow, oil painting', 'two cats on a windowsill', 'mountains at dawn, ink']) {
    await paint(page, prompt);
    await expectShown(card(page, prompt).getByAltText(prompt));
  }
  await visit(page, '/restore');
  await restore(page, photo);
  await expectShown(page.getByAltText('The photo, restored'));
  await visit(page, '/gallery');
  for (const image of await page.locator('.hanging img').all()) await expectShown(image);
  await page.getByRole('checkbox').nth(1).check();
  await shoot(page, 'gallery');
  await page.getByRole('link', { name: 'two cats' }).click();
  await expectShown(page.getByRole('dialog').getByAltText('two cats on a windowsill'));
  await page.waitForTimeout(300);
  await shoot(page, 'gallery-lightbox', false);
  await page.keyboard.press('Escape');
  await page.locator('body').press('?');
  await shoot(page, 'keys', false);
});

test.describe('with attached pictures', () => {
  test.use({ answers: [] });

  test('attached, painted over, changed', async ({ page }) => {
    await visit(page, '/');
    await page.getByLabel('Attach pictures').setInputFiles(photo);
    await expectShown(page.getByAltText('photo.jpg'));
    await shoot(page, 'attach-chosen');
    await page.getByLabel('Change only what I paint over').check();
    await drag(page, page.locator('.desk canvas:not([hidden])'), [0.15, 0.15], [0.45, 0.75]);
    await shoot(page, 'attach-painting');
    await paint(page, boat);
    await expectShown(card(page, boat).getByAltText(boat));
    await shoot(page, 'attach-finished');
  });
});

test.describe('with a choice of models', () => {
  test.use({
    answers: [],
    limits: `limits = []
[studio]
picture_choices = ["openai/gpt-image-1", "local/sketch-1"]
photo_choices = "local/restorer-1"`,
  });

  test('chosen', async ({ page }) => {
    await visit(page, '/');
    await shoot(page, 'models-empty');
    await paint(page, boat);
    await expectShown(card(page, boat).getByAltText(boat));
    await page.getByText('More', { exact: true }).click();
    await shoot(page, 'models-finished');
    await visit(page, '/restore');
    await restore(page, photo);
    await expectShown(page.getByAltText('The photo, restored'));
    await page.getByText('Adjust', { exact: true }).click();
    await shoot(page, 'models-restored');
  });
});

test.describe('with a provider', () => {
  test.use({ answers: ['unsafe', 'hang', 'hang', 'unsafe', 'partly'] });

  test('failed, working and called off', async ({ page }) => {
    await visit(page, '/');
    await paint(page, boat);
    await expect(card(page, boat).first().getByRole('alert')).toBeVisible();
    await shoot(page, 'art-failed');
    await visit(page, '/');
    await paint(page, boat);
    await expect(card(page, boat).first()).toContainText('Painting');
    await shoot(page, 'art-working');
    await card(page, boat).first().getByRole('button', { name: 'Cancel' }).click();
    await expect(card(page, boat).first()).toContainText('Cancelled');
    await shoot(page, 'art-cancelled');
    await many(page, '4');
    await paint(page, 'four boats');
    await expect(card(page, 'four boats')).toContainText('Painting');
    await shoot(page, 'art-working-several');
    await card(page, 'four boats').getByRole('button', { name: 'Cancel' }).click();
    await visit(page, '/restore');
    await restore(page, photo);
    await expect(card(page, 'A photo to restore').first().getByRole('alert')).toBeVisible();
    await shoot(page, 'restore-failed');
    await visit(page, '/restore');
    await restore(page, photo);
    await expect(card(page, 'A photo to restore').first()).toContainText('Restoring');
    await expectShown(page.getByAltText('Your photo').first());
    await expectShown(page.locator('.preview'));
    await shoot(page, 'restore-working');
  });
});

test('found by its meaning, and asked for again', async ({ page }) => {
  const first = 'two cats sleeping on a red sofa';
  const alike = 'Two cats asleep on a red couch, please!';
  await visit(page, '/');
  await paint(page, first);
  await expectShown(card(page, first).getByRole('img'));
  await expect(async () => {
    await visit(page, '/');
    await paint(page, alike);
    await expect(card(page, alike).first().locator('.note').first()).toBeVisible({ timeout: 3000 });
  }).toPass();
  await expectShown(card(page, alike).first().getByRole('img'));
  await shoot(page, 'note-same-meaning');
  await paint(page, first);
  await expect(card(page, first).first().locator('.note').first()).toBeVisible();
  await shoot(page, 'note-same-words');
});

test.describe('with suggestions', () => {
  test.use({ limits: 'limits = []\n[semantic]\nmode = "suggest"' });

  test('an earlier picture beside the new one', async ({ page }) => {
    const first = 'two cats sleeping on a red sofa';
    await visit(page, '/');
    await paint(page, first);
    await expectShown(card(page, first).getByRole('img'));
    for (const alike of ['two cats asleep on a red couch', 'two cats asleep on a crimson sofa']) {
      await paint(page, alike);
      await expectShown(card(page, alike).getByRole('img'));
    }
    await shoot(page, 'note-suggestion');
  });
});

for (const locale of ['en-US', 'de-DE']) {
  test.describe(`without cookies in ${locale}`, () => {
    test.use({ locale });

    test('by key, with a link, and withheld', async ({ page, studio, playwright }) => {
      const program = await playwright.request.newContext({ baseURL: studio.url });
      const sent = await program.post('/api/restorations', {
        multipart: { photo: { name: 'photo.jpg', mimeType: 'image/jpeg', buffer: readFileSync(photo) } },
      });
      const { url } = await sent.json();
      await page.goto(url.replace('/api', ''));
      await expectShown(page.locator('.after img, .frame img').first());
      await expect(page.locator('form[action*="/link"] button')).toBeVisible();
      await shoot(page, `by-key-${locale}`);
      await page.locator('form[action*="/link"] button').click();
      await expect(page.locator('.note')).toBeVisible();
      await shoot(page, `by-key-link-${locale}`);
      await page.locator('.menu summary').first().click();
      await page.locator('form[action*="/unshare"] button').click();
      await expect(page.locator('form[action*="/share"] button')).toBeAttached();
      await shoot(page, `by-key-withheld-${locale}`);
      await program.dispose();
    });
  });
}

const languages = {
  'de-DE': { prompt: 'Beschreibung', words: 'ein Fuchs im Schnee unter hohen Kiefern', adjust: 'Anpassen' },
  'he-IL': { prompt: 'תיאור', words: 'שועל בשלג בין אורנים גבוהים', adjust: 'התאמה' },
};

for (const [locale, { prompt, words, adjust }] of Object.entries(languages)) {
  test.describe(`in ${locale}`, () => {
    test.use({ locale, answers: ['picture', 'picture', 'unsafe', 'hang'] });

    test('pages', async ({ page }) => {
      const send = async (text: string) => {
        await page.getByLabel(prompt, { exact: true }).fill(text);
        await page.getByLabel(prompt, { exact: true }).press('Control+Enter');
      };
      await visit(page, '/');
      await shoot(page, `art-empty-${locale}`);
      await page.locator('input[type=file]').first().setInputFiles(photo);
      await expectShown(page.getByAltText('photo.jpg'));
      await shoot(page, `attach-${locale}`);
      await send(words);
      const job = page.locator('.job').first();
      await expectShown(job.getByAltText(words));
      for (const fold of await job.locator('.actions summary').all()) await fold.click();
      await shoot(page, `art-finished-${locale}`);
      await job.locator('form[action*="/delete"] button').click();
      await shoot(page, `deleted-${locale}`);
      await page.locator('.job [data-do=undo]').click();
      await visit(page, '/restore');
      await shoot(page, `restore-empty-${locale}`);
      await page.locator('input[type=file]').setInputFiles(photo);
      await page.locator('.desk button[type=submit]').first().click();
      await expectShown(page.locator('.after img').first());
      await page.locator('summary').filter({ hasText: adjust }).click();
      await shoot(page, `restore-finished-${locale}`);
      await visit(page, '/gallery');
      for (const image of await page.locator('.hanging img').all()) await expectShown(image);
      await shoot(page, `gallery-${locale}`);
      await page.locator('.hanging a').last().click();
      await expectShown(page.getByRole('dialog').getByRole('img').first());
      await page.waitForTimeout(300);
      await shoot(page, `lightbox-${locale}`, false);
      await page.keyboard.press('Escape');
      await page.locator('body').press('?');
      await shoot(page, `keys-${locale}`, false);
      await page.goto('/nowhere');
      await shoot(page, `nowhere-${locale}`);
      await visit(page, '/');
      for (const state of ['alert', 'progressbar'] as const) {
        await send(state);
        await expect(page.locator('.job').first().getByRole(state).first()).toBeVisible();
        await shoot(page, `${state}-${locale}`);
      }
    });
  });
}

async function shoot(page: Page, name: string, fullPage = true): Promise<void> {
  const path = `results/screens/${name}-${test.info().project.name}.png`;
  await page.screenshot({ path, fullPage, animations: 'disabled' });
}
