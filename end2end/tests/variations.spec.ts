// Four pictures like one that is there.

import { card, expect, expectShown, paint, type Page, test, visit } from './fixtures';

const boat = 'a red boat';

/** Returns the job's id. */
async function paintAndOpenMore(page: Page): Promise<string | null> {
  await visit(page, '/');
  await paint(page, boat);
  await expectShown(card(page, boat).getByRole('img'));
  await page.getByText('More', { exact: true }).click();
  return card(page, boat).getAttribute('data-id');
}

test('the built-in engine draws the same words four times anew', async ({ page }) => {
  await paintAndOpenMore(page);
  const first = await page.locator('.job .frame img').getAttribute('src');
  await page.getByRole('button', { name: 'Four variations' }).click();
  const several = page.locator('.job').first().locator('.several img');
  await expect(several).toHaveCount(4);
  const all = await several.evaluateAll((images) => images.map((image) => image.getAttribute('src')));
  expect(new Set([first, ...all]).size).toBe(5);
});

test.describe('with a model that edits', () => {
  test.use({ answers: [] });

  test('they are made from the picture', async ({ page }) => {
    const id = await paintAndOpenMore(page);
    const sent = page.waitForRequest((request) => request.method() === 'POST');
    await page.getByRole('button', { name: 'Four variations' }).click();
    expect((await sent).postDataJSON()).toMatchObject({ prompt: boat, from: id, picture: 1, n: 4, fresh: true });
    await expect(page.locator('.job')).toHaveCount(2);
    await expect(page.locator('.job').first().locator('.facts')).toContainText('another picture');
    // Of a variation, there are others of the same.
    const second = page.locator('.job').first();
    const again = page.waitForRequest((request) => request.method() === 'POST');
    await second.getByText('More', { exact: true }).click();
    await second.getByRole('button', { name: 'Four variations' }).click();
    expect((await again).postDataJSON()).toMatchObject({ prompt: boat, from: id, n: 4 });
  });

  test('a picture is continued beyond its frame', async ({ page }) => {
    const id = await paintAndOpenMore(page);
    const sent = page.waitForRequest((request) => request.method() === 'POST');
    await page.getByRole('button', { name: 'Extend: wider' }).click();
    expect((await sent).postDataJSON()).toEqual({ from: id, picture: 1, extend: 'wide' });
    const extended = page.locator('.job').first();
    await expect(extended.locator('.facts')).toContainText('wider');
    await expectShown(extended.getByRole('img'));
  });
});
