import type { Page } from 'playwright-core';
import { describe, expect, it } from 'vitest';
import { authors, isMock, tabTo, useBrowser } from './support';

const { open, base } = useBrowser();

/* The map learns its own size only once it is laid out, and then draws its dots elsewhere: before that, where a dot
 * stands is not where it will be clicked. */
async function mapInPlace(page: Page): Promise<void> {
  await page.locator('.map-frame svg').waitFor();
  await page.waitForFunction(() => {
    const frame = document.querySelector('.map-frame');
    const width = Number(frame?.querySelector('svg')?.getAttribute('width'));
    return frame !== null && Math.abs(width - frame.clientWidth) < 1;
  });
}

describe('Atlas', () => {
  it('shows everybody, and dreams as who is chosen', async () => {
    const names = await authors(base());
    const { page } = await open('atlas');
    const map = page.getByRole('listbox', { name: 'Map of authors' });
    await expect.poll(() => map.getByRole('option').count()).toBe(names.length);
    const name = names[1] ?? '';
    /* A dot may lie under another; its own middle is asked for. */
    await map.getByRole('option', { name, exact: true }).dispatchEvent('click');
    await page.getByRole('heading', { name }).waitFor();
    await page.getByRole('button', { name: 'Dream as this author' }).click();
    expect(new URL(page.url()).hash).toBe(`#dream?${new URLSearchParams({ author: name }).toString()}`);
    expect(await page.getByRole('combobox', { name: 'Author' }).inputValue()).toBe(name);
  });

  it('chooses by pointer', async () => {
    const { page } = await open('atlas');
    await mapInPlace(page);
    const spots = page.locator('.spot-dot');
    const box = await spots.first().boundingBox();
    await page.mouse.click((box?.x ?? 0) + (box?.width ?? 0) / 2, (box?.y ?? 0) + (box?.height ?? 0) / 2);
    await page.locator('.atlas-card h3').waitFor();
    expect(await page.locator('.spot.chosen').count()).toBe(1);
  });

  it('is dragged and zoomed, by pointer and keys, and shows all again', async () => {
    const { page } = await open('atlas');
    await mapInPlace(page);
    const place = (): Promise<string | null> => page.locator('.spot').first().getAttribute('transform');
    const frame = (await page.locator('.map-frame').boundingBox()) ?? { x: 0, y: 0, width: 0, height: 0 };
    const first = await place();
    await page.mouse.move(frame.x + 20, frame.y + 20);
    await page.mouse.down();
    await page.mouse.move(frame.x + 90, frame.y + 60, { steps: 4 });
    await page.mouse.up();
    const dragged = await place();
    expect(dragged).not.toBe(first);
    await page.getByRole('button', { name: 'Show all' }).click();
    expect(await place()).toBe(first);
    await page.getByRole('button', { name: 'Zoom in' }).click();
    expect(await place()).not.toBe(first);
    await page.getByRole('listbox', { name: 'Map of authors' }).focus();
    await page.keyboard.press('0');
    expect(await place()).toBe(first);
    for (const key of ['+', '-', 'Shift+ArrowLeft']) await page.keyboard.press(key);
    expect(await place()).not.toBe(first);
    await page.keyboard.down('Control');
    await page.mouse.wheel(0, -300);
    await page.keyboard.up('Control');
    await page.keyboard.press('0');
    expect(await place()).toBe(first);
  });

  it('works with the keyboard alone', async () => {
    const { page } = await open('atlas');
    const map = page.getByRole('listbox', { name: 'Map of authors' });
    await tabTo(page, map);
    await page.keyboard.press('ArrowRight');
    const name = await page.locator('.atlas-card h3').innerText();
    const active = await map.getAttribute('aria-activedescendant');
    expect(await page.locator(`[id="${active}"]`).getAttribute('aria-label')).toBe(name);
    for (const key of ['ArrowDown', 'ArrowUp', 'ArrowRight', 'ArrowLeft']) await page.keyboard.press(key);
    await page.keyboard.press('Enter');
    await page.getByRole('combobox', { name: 'Author' }).waitFor();
    expect(await page.getByRole('tab', { name: 'Dream' }).getAttribute('aria-selected')).toBe('true');
  });

  it('finds by name', async () => {
    const [name = ''] = (await authors(base())).slice(1);
    const { page } = await open('atlas');
    await page.getByRole('combobox', { name: 'Find' }).fill(name.toUpperCase());
    await page.keyboard.press('Enter');
    expect(await page.locator('.spot.chosen').getAttribute('aria-label')).toBe(name);
    expect(await page.locator('.map-labels .chosen').textContent()).toBe(name);
  });

  it('is a table as well, sorted by what one likes', async () => {
    const names = await authors(base());
    const { page } = await open('atlas');
    await page.getByText('The same as a table').click();
    const table = page.getByRole('region', { name: 'Table of authors' });
    expect(await table.getByRole('row').count()).toBe(names.length + 1);
    const column = async (): Promise<number[]> =>
      (await table.locator('tbody tr td:last-child').allInnerTexts()).map((text) => Number(text.replace('−', '-')));
    await table.getByRole('button', { name: 'Up' }).click();
    const up = await column();
    expect(up).toEqual([...up].sort((a, b) => a - b));
    await table.getByRole('button', { name: 'Up' }).click();
    expect(await column()).toEqual([...up].reverse());
    expect(await table.getByRole('columnheader', { name: 'Up' }).getAttribute('aria-sort')).toBe('descending');
    await table.getByRole('link').first().click();
    await page.getByRole('combobox', { name: 'Author' }).waitFor();
  });

  it('is coloured by what is chosen', async (context) => {
    const { page } = await open('atlas');
    await page.getByRole('listbox', { name: 'Map of authors' }).waitFor();
    const select = page.getByLabel('Coloured by');
    if (!isMock && (await select.count()) === 0) return context.skip(); /* nothing is known of the authors */
    const colours = (): Promise<string[]> =>
      page.locator('.spot-dot').evaluateAll((dots) => dots.map((dot) => getComputedStyle(dot).fill));
    await select.selectOption('');
    expect(new Set(await colours()).size).toBe(1);
    const options = await select.locator('option').evaluateAll((all) => all.map((one) => (one as HTMLOptionElement).value));
    for (const option of options.filter((value) => value !== '')) {
      await select.selectOption(option);
      expect(new Set(await colours()).size).toBeGreaterThan(1);
      await page.getByRole('list', { name: `Colours: ${option}` }).waitFor();
    }
  });
});
