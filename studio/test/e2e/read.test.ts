import { describe, expect, it } from 'vitest';
import { placeSlot, SAMPLE, tabTo, useBrowser, WORK } from './support';

const { open, base } = useBrowser();

describe('Read', () => {
  it('tells who and when, and each word', async () => {
    const { page, bodies } = await open('read');
    await WORK['read']?.(page);
    expect(bodies.at(-1)?.body).toMatchObject({ text: SAMPLE, by_token: true });
    const bars = page.getByRole('list', { name: 'Likeliest: author' });
    const shares = (await bars.getByRole('listitem').locator('.bar-number').allInnerTexts()).map((text) => Number(text.replace(/[^0-9]/g, '')));
    expect(shares.length).toBeGreaterThan(1);
    expect(shares.reduce((sum, share) => sum + share, 0)).toBeGreaterThan(90);
    await page.getByRole('img', { name: /^Date by slot date: \d+, 90 % between \d+ and \d+$/ }).waitFor();
    expect((await page.locator('.coloured').innerText()).replace(/[\s\u200b]+/g, ' ').trim()).toBe(SAMPLE);
  });

  it('shows where it seems to be from, beside the likeliest places', async (context) => {
    const slot = await placeSlot(base());
    if (slot === undefined) return context.skip();
    const { page } = await open('read');
    await WORK['read']?.(page);
    const found = page.locator('.found-place');
    await found.getByRole('heading', { name: 'Where' }).waitFor();
    await found.getByRole('img', { name: /^Place by slot \S+: [\d.]+°\s[NS] [\d.]+°\s[EW], 50 % within [\d,]+\skilometres?, 90 % within [\d,]+\skilometres?$/ }).waitFor();
    expect(await found.getByRole('list', { name: `Likeliest: ${slot.name}` }).getByRole('listitem').count()).toBeGreaterThan(0);
    const area = async (name: string): Promise<number> => {
      const box = await found.locator(name).boundingBox();
      return (box?.width ?? 0) * (box?.height ?? 0);
    };
    expect(await area('.place-half')).toBeGreaterThan(0);
    expect(await area('.place-most')).toBeGreaterThan(await area('.place-half'));
  });

  it('goes through the text by pointer, slider and arrow keys', async () => {
    const { page } = await open('read');
    await WORK['read']?.(page);
    const slider = page.getByRole('slider', { name: 'Place in the text' });
    const last = Number(await slider.getAttribute('max'));
    expect(await slider.inputValue()).toBe(String(last));
    await page.locator('.word').nth(3).hover();
    expect(await slider.inputValue()).toBe('3');
    const word = (await page.locator('.word').nth(3).textContent())?.trim() ?? '';
    expect(await page.locator('.belief-word').innerText()).toContain(word);
    expect(await slider.getAttribute('aria-valuetext')).toContain(word);
    await page.mouse.move(5, 5);
    await tabTo(page, page.getByRole('region', { name: /^The text, coloured/ }));
    await page.keyboard.press('ArrowRight');
    expect(await slider.inputValue()).toBe('4');
    await page.keyboard.press('Home');
    expect(await slider.inputValue()).toBe('0');
    await slider.focus();
    await page.keyboard.press('ArrowRight');
    expect(await page.locator('.word.here').getAttribute('data-at')).toBe('1');
  });

  it('colours by author, by doubt and by date', async () => {
    const { page } = await open('read');
    await WORK['read']?.(page);
    const colour = (): Promise<string> => page.locator('.word').last().evaluate((word) => getComputedStyle(word).backgroundColor);
    const seen = new Set([await colour()]);
    for (const name of ['Doubt', 'Date']) {
      await page.locator('.choice').getByText(name, { exact: true }).click();
      seen.add(await colour());
    }
    expect(seen.size).toBe(3);
    await page.getByRole('img', { name: /^Date as it seemed along the text/ }).waitFor();
  });

  it('takes a file that is chosen or dropped, and says what it cannot take', async () => {
    const { page } = await open('read');
    const field = page.getByRole('textbox', { name: 'A text' });
    await page.locator('input[type=file]').setInputFiles({ name: 'letter.txt', mimeType: 'text/plain', buffer: Buffer.from('Dear Ann, ž') });
    await expect.poll(() => field.inputValue()).toBe('Dear Ann, ž');
    await page.evaluate(() => {
      const transfer = new DataTransfer();
      transfer.items.add(new File(['Dropped text'], 'drop.txt', { type: 'text/plain' }));
      document.querySelector('.read-form')?.dispatchEvent(new DragEvent('drop', { dataTransfer: transfer, bubbles: true, cancelable: true }));
    });
    await expect.poll(() => field.inputValue()).toBe('Dropped text');
    await page.locator('input[type=file]').setInputFiles({ name: 'image.txt', mimeType: 'text/plain', buffer: Buffer.from([0xff, 0xfe, 0x00, 0xd8]) });
    expect(await page.getByRole('alert').innerText()).toBe('image.txt is not text in UTF-8.');
    expect(await field.inputValue()).toBe('Dropped text');
  });

  it('works with the keyboard alone', async () => {
    const { page } = await open('read');
    await tabTo(page, page.getByRole('textbox', { name: 'A text' }));
    await page.keyboard.insertText(SAMPLE);
    await page.keyboard.press('Tab');
    await page.keyboard.press('Enter');
    await page.getByRole('heading', { name: 'Word by word' }).waitFor();
    await tabTo(page, page.getByRole('slider', { name: 'Place in the text' }));
    await page.keyboard.press('Home');
    expect(await page.locator('.word.here').getAttribute('data-at')).toBe('0');
  });

  it('has nothing to read in an empty field', async () => {
    const { page } = await open('read');
    expect(await page.getByRole('button', { name: 'Read', exact: true }).isDisabled()).toBe(true);
    await page.getByRole('textbox', { name: 'A text' }).fill('  \n ');
    expect(await page.getByRole('button', { name: 'Read', exact: true }).isDisabled()).toBe(true);
  });
});
