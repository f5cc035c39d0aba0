// What does not go as it should: waiting, calling off, failing, losing the connection.

import { card, expect, expectShown, paint, photo, restore, test, visit } from './fixtures';

const cat = 'a cat on a wall';

test.describe('a provider that shows what it draws', () => {
  test.use({ answers: ['partly'] });

  test('the picture is seen before it is finished, and nothing moves', async ({ page, openai }) => {
    await visit(page, '/');
    await page.getByLabel('Wide', { exact: true }).check();
    await paint(page, cat);
    const job = card(page, cat);
    const begun = job.locator('img.blank');
    await expectShown(begun);
    await expect(page.getByRole('status')).toHaveText(/Painting/);
    const height = (await job.locator('.frame').boundingBox())!.height;
    openai.release();
    await expectShown(job.getByAltText(cat));
    // The stand-in's picture is not quite of the shape that was asked for.
    expect(Math.abs((await job.locator('.frame').boundingBox())!.height - height)).toBeLessThan(60);
  });
});

test.describe('a provider that takes its time', () => {
  test.use({ answers: ['hang', 'hang'] });

  test('a picture can be called off, and painted after all', async ({ page, openai }) => {
    await visit(page, '/');
    await paint(page, cat);
    const job = card(page, cat);
    await expect(job).toContainText('Painting');
    await expect(job.getByRole('progressbar')).toBeVisible();
    await expect.poll(() => openai.waiting()).toBe(1);
    await job.getByRole('button', { name: 'Cancel' }).press('Enter');
    await expect(job).toContainText('Cancelled');
    await expect(job.getByRole('heading')).toBeFocused();
    await expect.poll(() => openai.waiting()).toBe(0);
    await job.getByRole('button', { name: 'Paint it anyway' }).click();
    await expect.poll(() => openai.waiting()).toBe(1);
    openai.release();
    await expectShown(card(page, cat).first().getByAltText(cat));
  });

  test('a card keeps what is open in it and chosen when it changes', async ({ page, openai }) => {
    const many = `a cat ${'and another cat '.repeat(30)}`.trim();
    await visit(page, '/');
    await paint(page, many);
    const job = page.locator('.job');
    await expect(job).toContainText('Painting');
    const words = job.locator('.words');
    await job.getByText('Full prompt').click();
    await words.evaluate((element) => getSelection()!.selectAllChildren(element));
    await job.getByText('Full prompt').focus();
    openai.release();
    await expectShown(job.locator('.frame img'));
    await expect(words).toBeVisible();
    await expect(job.getByText('Full prompt')).toBeFocused();
    expect(await page.evaluate(() => getSelection()!.toString())).toBe(many);
    await expect(job.getByRole('button', { name: 'Paint again' })).toBeVisible();
    await expect(job.getByRole('progressbar')).toHaveCount(0);
  });

  test('a page goes on in its language when another is chosen in another tab', async ({ context, page, openai }) => {
    await visit(page, '/');
    await paint(page, cat);
    await expect(card(page, cat)).toContainText('Painting');
    const other = await context.newPage();
    await visit(other, '/?lang=de');
    await expect(card(other, cat)).toContainText('Wird gemalt');
    openai.release();
    await expectShown(card(page, cat).getByAltText(cat));
    await expect(card(page, cat).getByRole('button', { name: 'Paint again' })).toBeVisible();
    await expect(card(other, cat).getByRole('link', { name: 'Herunterladen' })).toBeVisible();
    await page.route('/api/images', (route) => {
      const headers = { ...route.request().headers(), 'content-type': 'text/plain' };
      return route.continue({ headers });
    });
    await paint(page, 'a dog');
    await expect(page.locator('form.desk').getByRole('alert')).toHaveText(/JSON|form/);
  });

  test('two are under way at once, and are found again on return', async ({ page, openai }) => {
    await visit(page, '/');
    for (const name of [cat, 'a dog on a wall']) {
      await paint(page, name);
      await expect(card(page, name)).toContainText('Painting');
    }
    await page.getByRole('link', { name: 'Restore', exact: true }).click();
    await page.getByRole('link', { name: 'Paint', exact: true }).click();
    await expect(page.getByRole('progressbar')).toHaveCount(2);
    openai.release();
    await expectShown(card(page, cat).getByAltText(cat));
    await expectShown(card(page, 'a dog on a wall').getByAltText('a dog on a wall'));
  });

  test('the page of a job can be loaded again while it waits', async ({ page, openai }) => {
    await visit(page, '/');
    await paint(page, cat);
    await card(page, cat).getByRole('link', { name: cat }).click();
    await expect(page).toHaveTitle(/^Painting/);
    await page.reload();
    await expect(card(page, cat)).toContainText('Painting');
    openai.release();
    await expectShown(card(page, cat).getByAltText(cat));
    await expect(page).toHaveTitle(`Ready · ${cat} · Atelier`);
  });

  test('a lost connection is told, and the job is there when it returns', async ({ page, studio, openai }) => {
    await visit(page, '/');
    await paint(page, cat);
    const job = card(page, cat);
    await expect(job).toContainText('Painting');
    await expect.poll(() => openai.waiting()).toBe(1);
    await studio.stop('SIGKILL');
    await expect(job.getByRole('alert')).toHaveText('Connection lost, trying again.');
    await paint(page, 'a dog on a wall');
    await expect(page.locator('form.desk').getByRole('alert')).toHaveText(/The studio did not answer/);
    await studio.start();
    await expect.poll(() => openai.waiting()).toBe(1);
    openai.release();
    await expectShown(job.getByAltText(cat));
    await expect(job.getByRole('alert').filter({ visible: true })).toHaveCount(0);
  });
});

test.describe('a provider that refuses', () => {
  test.use({ answers: ['unsafe'] });

  test('a picture that is refused says why, and leads back to its words', async ({ page }) => {
    await visit(page, '/');
    await paint(page, cat);
    const job = card(page, cat);
    await expect(job.getByRole('alert')).toHaveText(/refused this request as unsafe/);
    await job.getByRole('link', { name: 'Edit prompt' }).click();
    await expect(page.getByLabel('Prompt')).toHaveValue(cat);
  });

  test('a photo that is refused says why, and leads to another one', async ({ page }) => {
    await visit(page, '/restore');
    await restore(page, photo);
    const job = card(page, 'A photo to restore');
    await expect(job.getByRole('alert')).toHaveText(/refused this request/);
    await job.getByRole('link', { name: 'Choose another photo' }).click();
    await expect(page).toHaveURL('/restore');
  });
});
