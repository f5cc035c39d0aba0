// Both applications as a screen reader finds them: by the accessibility tree, with the keyboard alone.

import { card, expect, expectShown, type Page, photo, pressOnPurpose, test, visit } from './fixtures';

/** Everything that is said to screen readers from now on, in order. */
async function listen(page: Page): Promise<() => Promise<string[]>> {
  await page.evaluate(() => {
    const region = document.getElementById('announcer')!;
    const said: string[] = [];
    new MutationObserver(() => said.push(region.textContent ?? '')).observe(region, { childList: true });
    Object.assign(globalThis, { said });
  });
  return () => page.evaluate(() => (globalThis as unknown as { said: string[] }).said);
}

/** Goes on with the Tab key until the element of this role and name has the focus. */
async function tabTo(page: Page, ...[role, options]: Parameters<Page['getByRole']>): Promise<void> {
  const goal = page.getByRole(role, options);
  for (let steps = 0; steps < 40; steps++) {
    await page.keyboard.press('Tab');
    if (await goal.evaluate((element) => element === document.activeElement)) return;
  }
  throw new Error(`the Tab key does not lead to ${role} ${String(options?.name)}`);
}

test('the art generator', async ({ page }) => {
  await visit(page, '/');
  await expect(page.locator('body')).toMatchAriaSnapshot(`
    - link "Skip to the page"
    - banner:
      - link "Atelier"
      - navigation "Site":
        - link "Paint"
        - link "Restore"
        - link "Gallery"
    - main:
      - heading "What shall we paint?" [level=1]
      - textbox "Prompt"
      - group:
        - group "Style":
          - radio "No style" [checked]
          - radio "Watercolour"
        - group "Shape":
          - radio "Square" [checked]
          - radio "Wide"
          - radio "Tall"
        - combobox "Quality"
        - combobox "How many"
      - paragraph:
        - button "Paint it"
      - region "Made from words. Try one:":
        - heading "Made from words. Try one:" [level=2]
        - list:
          - listitem:
            - link "a red boat on a calm sea at sunset Watercolour"
    - contentinfo:
      - button "Shortcuts"
      - navigation "Language":
        - link "Deutsch"
        - link "עברית"
    - status
  `);
  await page.keyboard.press('Tab');
  await expect(page.getByRole('link', { name: 'Skip to the page' })).toBeFocused();
  await page.keyboard.press('Enter');
  await tabTo(page, 'textbox', { name: 'Prompt' });
  await page.keyboard.type('a red fox');
  await tabTo(page, 'radio', { name: 'No style' });
  await page.keyboard.press('ArrowRight');
  await expect(page.getByRole('radio', { name: 'Watercolour' })).toBeChecked();
  const said = await listen(page);
  await tabTo(page, 'button', { name: 'Paint it' });
  await page.keyboard.press('Enter');
  await expectShown(card(page, 'a red fox').getByRole('img'));
  await expect.poll(async () => (await said()).at(-1)).toBe('The picture is ready: a red fox');
  const stages = ['Next in line', 'Waiting in line', 'Painting', 'Putting it in its frame', 'The picture is ready'];
  const others = (await said()).filter((text) => !stages.some((stage) => text === `${stage}: a red fox`));
  expect(others, 'stages alone are said').toEqual([]);
  expect(new Set(await said()).size, 'each of them once').toBe((await said()).length);
  await expect(card(page, 'a red fox')).toMatchAriaSnapshot(`
    - article:
      - link "View larger":
        - img "a red fox"
      - heading "a red fox" [level=2]:
        - link "a red fox"
      - term: Style
      - definition: Watercolour
      - link "Download"
      - button "Paint again"
      - link "Edit prompt"
      - button "Share"
      - group: More
  `);
  await card(page, 'a red fox').getByText('More', { exact: true }).focus();
  await page.keyboard.press('Enter');
  await tabTo(page, 'button', { name: 'Delete' });
  await page.keyboard.press('Enter');
  await expect(page.getByRole('button', { name: 'Undo' })).toBeFocused();
  await pressOnPurpose(page, page.getByRole('heading', { name: 'a red fox' }));
  await expect(page.getByRole('heading', { name: 'a red fox' })).toBeFocused();
});

test('RestorePhotos', async ({ page }) => {
  await visit(page, '/restore');
  await expect(page.getByRole('main')).toMatchAriaSnapshot(`
    - main:
      - heading "Restore old photos" [level=1]
      - button "Choose a photo, or drop it here"
      - slider "Strength"
      - combobox "Size"
      - checkbox "Keep it black and white"
      - paragraph:
        - button "Restore it"
      - region "No old photo at hand? Try one of these:":
        - figure "After":
          - img "That photo restored"
        - figure "Before":
          - img "An old, faded photo with scratches"
        - slider "How much of the original to show, in percent"
        - heading "No old photo at hand? Try one of these:" [level=2]
        - list:
          - listitem:
            - button "Portrait"
  `);
  const chooser = page.waitForEvent('filechooser');
  await tabTo(page, 'button', { name: 'Choose a photo' });
  await expect(page.getByRole('button', { name: 'Choose a photo' })).toHaveAccessibleDescription(/up to 25\sMB/);
  await page.keyboard.press('Enter');
  await (await chooser).setFiles(photo);
  await expectShown(page.getByAltText('The photo you chose'));
  const said = await listen(page);
  await tabTo(page, 'button', { name: 'Restore it' });
  await page.keyboard.press('Enter');
  const job = card(page, 'A restored photo');
  await expectShown(job.getByAltText('The photo, restored'));
  await expect.poll(async () => (await said()).at(-1)).toBe('The photo is ready');
  await expect(job).toMatchAriaSnapshot(`
    - article:
      - figure "After":
        - img "The photo, restored"
      - figure "Before":
        - img "The original photo"
      - slider "How much of the original to show, in percent"
      - paragraph:
        - checkbox "Side by side"
        - button "Hold for original"
        - checkbox "Changes only"
        - checkbox "Actual size"
      - heading "A restored photo" [level=2]
      - link "Download"
      - button "Make a link"
      - group: More
      - paragraph: Only you can see this. It will be deleted in 24 hours.
  `);
  await expect(page.getByRole('status'), 'one region speaks').toHaveCount(1);
});
