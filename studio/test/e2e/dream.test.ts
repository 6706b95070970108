import type { Page } from 'playwright-core';
import { describe, expect, it } from 'vitest';
import { authors, isMock, placeSlot, startMock, tabTo, useBrowser } from './support';

const { open, base } = useBrowser();
const FINISHED = /As many tokens|came to its end/;

/* The slider's last year: the corpus's, and some more. */
function lastYear(page: Page): Promise<string> {
  return page.getByRole('slider', { name: 'Year' }).evaluate((slider) => (slider as HTMLInputElement).max);
}

/* Where the map of places is, once what is above it no longer moves it. */
async function mapInPlace(page: Page): Promise<{ x: number; y: number; width: number; height: number }> {
  await page.getByText('Move along a direction').waitFor(); /* the atlas is there */
  const frame = page.locator('.place-frame.choosing');
  await frame.scrollIntoViewIfNeeded();
  let [before, now] = [null, await frame.boundingBox()] as [unknown, Awaited<ReturnType<typeof frame.boundingBox>>];
  while (now === null || JSON.stringify(before) !== JSON.stringify(now)) {
    await page.waitForTimeout(50);
    [before, now] = [now, await frame.boundingBox()];
  }
  return now;
}

type Body = {
  handle?: { author?: string; date?: number; mix?: Record<string, number>; like?: string; place?: string; shift?: unknown; tell?: unknown };
  seed?: number;
  max_tokens?: number;
  temperature?: number;
  prompt?: string;
  reading?: boolean;
};

describe('Dream', () => {
  it('writes as nobody in particular, and says as whom it reads', async () => {
    const { page, bodies } = await open('dream');
    await page.getByRole('textbox', { name: 'Begin with' }).fill('My friends, ');
    await page.getByRole('spinbutton', { name: 'Tokens' }).fill('30');
    await page.getByRole('spinbutton', { name: 'Seed' }).fill('7');
    await page.getByRole('slider', { name: 'Temperature' }).fill('0.5');
    await page.getByRole('button', { name: 'Write', exact: true }).click();
    await page.locator('.leaf-foot').getByText(FINISHED).waitFor();
    const body = bodies.find(({ path }) => path.endsWith('/v1/completions'))?.body as Body;
    expect(body).toMatchObject({ prompt: 'My friends, ', max_tokens: 30, seed: 7, temperature: 0.5, reading: true, stream: true });
    expect(body.handle).toBeUndefined();
    const text = await page.locator('.leaf-text').innerText();
    expect(text.startsWith('My friends, ')).toBe(true);
    expect(text.length).toBeGreaterThan('My friends, '.length);
    const bars = page.getByRole('list', { name: 'Likeliest authors of what is written' });
    expect(await bars.getByRole('listitem').count()).toBeGreaterThan(1);
    await page.getByRole('img', { name: /^When it seems to be written: / }).waitFor();
  });

  it('says to those who listen what was written, in sentences, once', async () => {
    const { page } = await open('dream');
    await page.getByRole('spinbutton', { name: 'Tokens' }).fill('60');
    await page.evaluate(() => {
      const log = document.querySelector('[role=log]');
      const heard: string[] = [];
      Object.assign(window, { heard });
      new MutationObserver((changes) => {
        for (const change of changes) for (const node of change.addedNodes) heard.push(node.textContent ?? '');
      }).observe(log as Node, { childList: true });
    });
    await page.getByRole('button', { name: 'Write', exact: true }).click();
    await page.locator('.leaf-foot').getByText(FINISHED).waitFor();
    await expect.poll(() => page.evaluate(() => (window as unknown as { heard: string[] }).heard.at(-1))).toMatch(/is finished\.$/);
    const heard = await page.evaluate(() => (window as unknown as { heard: string[] }).heard);
    const bare = (text: string): string => text.replace(/\s+/g, '');
    const text = await page.locator('.leaf-text').innerText();
    expect(bare(`The state of the Union ${heard.join(' ')}`).replace(/Thetextisfinished\.$/, '')).toBe(bare(text));
    expect(heard.length).toBeLessThan(20);
  });

  it('writes as an author found by typing, at a year, with a slot told', async () => {
    const [name = ''] = (await authors(base())).slice(-1);
    const { page, bodies } = await open('dream');
    await page.getByText('An author').click();
    const field = page.getByRole('combobox', { name: 'Author' });
    await field.fill(name.split(' ').at(-1) ?? '');
    await page.getByRole('option', { name, exact: true }).click();
    expect(await field.inputValue()).toBe(name);
    await page.getByText('A year', { exact: true }).click();
    const last = await lastYear(page);
    await page.getByRole('slider', { name: 'Year' }).fill(last);
    await page.getByRole('spinbutton', { name: 'Tokens' }).fill('8');
    await page.getByRole('button', { name: 'Write', exact: true }).click();
    await page.locator('.leaf-foot').getByText(FINISHED).waitFor();
    expect((bodies.at(-1)?.body as Body).handle).toEqual({ author: name, date: Number(last) });
    expect(await page.locator('.running-head').innerText()).toBe(`${name}, ${last}`);
    expect(await page.locator('.posterior').innerText()).toContain('The author was told.');

    await page.getByText('Anywhen', { exact: true }).click();
    await page.getByRole('button', { name: 'Write', exact: true }).click();
    await expect.poll(() => (bodies.at(-1)?.body as Body).handle).toEqual({ author: name });
  });

  it('asks for an author before it writes as one', async () => {
    const { page, bodies } = await open('dream');
    await page.getByText('An author').click();
    await page.getByRole('button', { name: 'Write', exact: true }).click();
    expect(await page.getByRole('alert').innerText()).toBe('Choose an author first.');
    expect(bodies).toEqual([]);
  });

  it('mixes authors on the pad, with the pointer and with the keys', async () => {
    const names = await authors(base());
    const { page, bodies } = await open('dream');
    await page.getByText('A mixture').click();
    for (const [index, place] of ['top left', 'top right', 'bottom left', 'bottom right'].entries()) {
      await page.getByRole('combobox', { name: `Author ${place}` }).fill(names[index] ?? '');
      await page.keyboard.press('Enter');
    }
    const box = (await page.locator('.pad').boundingBox()) ?? { x: 0, y: 0, width: 0, height: 0 };
    await page.mouse.move(box.x + box.width / 2, box.y + box.height / 2);
    await page.mouse.down();
    await page.mouse.move(box.x + box.width * 0.25, box.y + box.height * 0.5, { steps: 5 });
    await page.mouse.up();
    const across = page.getByRole('slider', { name: 'Mixture, left to right' });
    expect(Number(await across.inputValue())).toBeCloseTo(0.25, 1);
    expect(await across.getAttribute('aria-valuetext')).toContain(names[0]);
    await page.keyboard.press('ArrowRight');
    await page.keyboard.press('Shift+ArrowDown');
    expect(Number(await across.inputValue())).toBeCloseTo(0.3, 1);
    expect(Number(await page.getByRole('slider', { name: 'Mixture, top to bottom' }).inputValue())).toBeCloseTo(0.7, 1);
    await page.getByRole('spinbutton', { name: 'Tokens' }).fill('5');
    await page.getByRole('button', { name: 'Write', exact: true }).click();
    await page.locator('.leaf-foot').getByText(FINISHED).waitFor();
    const mix = (bodies.at(-1)?.body as Body).handle?.mix ?? {};
    expect(Object.keys(mix).sort()).toEqual(names.slice(0, 4).sort());
    expect(Object.values(mix).reduce((sum, share) => sum + share, 0)).toBeCloseTo(1, 2);
    /* Bottom left: 0.7 x 0.7, and more where there are but three. */
    expect(mix[names[2] ?? '']).toBeCloseTo(names.length > 3 ? 0.49 : 0.49 / (1 - 0.3 * 0.7), 1);
  });

  it('moves along principal directions', async () => {
    const [name = ''] = await authors(base());
    const { page, bodies } = await open(`dream?author=${encodeURIComponent(name)}`);
    await page.getByText('Move along a direction').click();
    await page.getByRole('slider', { name: /^Direction 2/ }).fill('-1.5');
    await page.getByRole('spinbutton', { name: 'Tokens' }).fill('5');
    await page.getByRole('button', { name: 'Write', exact: true }).click();
    await page.locator('.leaf-foot').getByText(FINISHED).waitFor();
    expect((bodies.at(-1)?.body as Body).handle).toEqual({ author: name, shift: [{ component: 2, deviations: -1.5 }] });
    await page.getByRole('button', { name: 'Back to the middle' }).click();
    expect(await page.getByRole('slider', { name: /^Direction 2/ }).inputValue()).toBe('0');
  });

  /* A model may come to its end before anybody can stop it. */
  it.runIf(isMock)('stops when it is told to', async () => {
    const { page } = await open('dream');
    await page.getByRole('spinbutton', { name: 'Tokens' }).fill('4000');
    await page.getByRole('button', { name: 'Write', exact: true }).click();
    await expect.poll(async () => (await page.locator('.leaf-text').innerText()).length).toBeGreaterThan(60);
    const stop = page.getByRole('button', { name: 'Stop' });
    await stop.focus();
    await page.keyboard.press('Enter');
    await page.locator('.leaf-foot').getByText('Stopped.').waitFor();
    const before = await page.locator('.leaf-text').innerText();
    await page.waitForTimeout(400);
    expect(await page.locator('.leaf-text').innerText()).toBe(before);
    const write = page.getByRole('button', { name: 'Write', exact: true });
    expect(await write.evaluate((element) => element === document.activeElement)).toBe(true);
    await write.click();
    await expect.poll(async () => (await page.locator('.leaf-text').innerText()).length).toBeGreaterThan(60);
    await page.getByRole('spinbutton', { name: 'Tokens' }).press('Enter'); /* stops nothing */
    await page.waitForTimeout(100);
    await stop.click();
    await page.locator('.leaf-foot').getByText('Stopped.').waitFor();
  });

  it('compares two, from the same seed', async () => {
    const { page, bodies } = await open('dream?date=1800');
    await page.getByText('Move along a direction').waitFor(); /* the atlas is there */
    await page.getByRole('checkbox', { name: 'Compare two, side by side' }).check();
    await page.locator('.choice').getByText('B', { exact: true }).click();
    await page.getByText('A year', { exact: true }).click();
    const last = await lastYear(page);
    await page.getByRole('slider', { name: 'Year' }).fill(last);
    await page.getByRole('spinbutton', { name: 'Tokens' }).fill('20');
    await page.getByRole('button', { name: 'Write', exact: true }).click();
    await page.getByRole('article', { name: 'Text A' }).getByText(FINISHED).waitFor();
    await page.getByRole('article', { name: 'Text B' }).getByText(FINISHED).waitFor();
    const asked = bodies.filter(({ path }) => path.endsWith('/v1/completions')).map(({ body }) => body as Body);
    expect(asked.map((body) => body.handle?.date).sort()).toEqual([1800, Number(last)]);
    expect(asked[0]?.seed).toBe(asked[1]?.seed);
    const texts = await page.locator('.leaf-text').allInnerTexts();
    expect(texts[0]).not.toBe(texts[1]);
  });

  it('works with the keyboard alone', async () => {
    const [name = ''] = (await authors(base())).slice(2);
    const { page, bodies } = await open('dream');
    const mode = page.getByRole('radio', { name: 'Anybody' });
    await tabTo(page, mode);
    await page.keyboard.press('ArrowRight');
    await page.keyboard.press('Tab');
    await page.keyboard.type(name);
    await page.keyboard.press('ArrowDown');
    await page.keyboard.press('Enter');
    const tokens = page.getByRole('spinbutton', { name: 'Tokens' });
    await tabTo(page, tokens);
    await page.keyboard.press('Control+A');
    await page.keyboard.type('12');
    await page.keyboard.press('Enter');
    await page.locator('.leaf-foot').getByText(FINISHED).waitFor();
    expect(bodies.at(-1)?.body).toMatchObject({ handle: { author: name }, max_tokens: 12 });
  });

  it('hands its text over to be read, and a text back to be written like', async () => {
    const { page, bodies } = await open('dream');
    await page.getByRole('spinbutton', { name: 'Tokens' }).fill('25');
    await page.getByRole('button', { name: 'Write', exact: true }).click();
    await page.locator('.leaf-foot').getByText(FINISHED).waitFor();
    const text = await page.locator('.leaf-text').innerText();
    await page.getByRole('button', { name: 'Read it word by word: The text' }).click();
    await page.getByRole('heading', { name: 'Word by word' }).waitFor();
    expect((await page.getByRole('textbox', { name: 'A text' }).inputValue()).trim()).toBe(text.trim());
    await page.getByRole('button', { name: 'Write like this text' }).click();
    await page.getByRole('button', { name: 'Write', exact: true }).click();
    await page.locator('.leaf-foot').getByText(FINISHED).waitFor();
    expect((bodies.at(-1)?.body as Body).handle?.like?.trim()).toBe(text.trim());
  });

  it('tells a place that is chosen by pointer, by keys and by numbers', async (context) => {
    const slot = await placeSlot(base());
    if (slot === undefined) return context.skip();
    const { page, bodies } = await open('dream');
    await page.getByRole('spinbutton', { name: 'Tokens' }).fill('5');
    await page.getByText('A place', { exact: true }).click();
    const across = page.getByRole('slider', { name: 'Place, west to east' });
    const up = page.getByRole('slider', { name: 'Place, south to north' });
    const place = async (): Promise<[number, number]> => [Number(await up.inputValue()), Number(await across.inputValue())];
    const box = await mapInPlace(page);
    const [, middle] = await place();
    expect(middle).toBeCloseTo(slot.region.longitude, 0);

    await page.mouse.click(box.x + box.width * 0.7, box.y + box.height * 0.3);
    const clicked = await place();
    expect(clicked[1]).toBeGreaterThan(middle);
    await page.mouse.down();
    await page.mouse.move(box.x + box.width * 0.6, box.y + box.height * 0.5, { steps: 4 });
    await page.mouse.up();
    const dragged = await place();
    expect(dragged[0]).toBeLessThan(clicked[0]);
    expect(dragged[1]).toBeLessThan(clicked[1]);
    const thumb = (await page.locator('.place-map .pad-thumb').boundingBox()) ?? { x: 0, y: 0, width: 0, height: 0 };
    expect(Math.abs(thumb.x + thumb.width / 2 - (box.x + box.width * 0.6))).toBeLessThan(3);
    expect(Math.abs(thumb.y + thumb.height / 2 - (box.y + box.height * 0.5))).toBeLessThan(3);

    await page.keyboard.press('ArrowLeft');
    const [, left] = await place();
    expect(left).toBeLessThan(dragged[1]);
    await page.keyboard.press('Shift+ArrowUp');
    const [high] = await place();
    expect(high - dragged[0]).toBeCloseTo(5 * (dragged[1] - left), 1);
    expect(await up.evaluate((element) => element === document.activeElement)).toBe(true);
    expect(await up.getAttribute('aria-valuetext')).toMatch(/^[\d.]+°\s[NS] [\d.]+°\s[EW]$/);
    await page.getByRole('button', { name: 'Write', exact: true }).click();
    await page.locator('.leaf-foot').getByText(FINISHED).waitFor();
    const told = (text: string | undefined): object => (slot.name === 'place' ? { place: text } : { tell: { [slot.name]: text } });
    expect((bodies.at(-1)?.body as Body).handle).toEqual(told(`${high},${left}`));

    await page.getByRole('spinbutton', { name: 'Latitude' }).fill('41.88');
    const longitude = page.getByRole('spinbutton', { name: 'Longitude' });
    await longitude.press('Control+A');
    await longitude.pressSequentially('-87.63');
    await expect.poll(place).toEqual([41.88, -87.63]);
    await longitude.fill('-200'); /* is nowhere */
    await longitude.blur();
    expect(await longitude.inputValue()).toBe('-87.63');
    await page.getByRole('button', { name: 'Write', exact: true }).click();
    await expect.poll(() => (bodies.at(-1)?.body as Body).handle).toEqual(told('41.88,-87.63'));
    await page.locator('.leaf-foot').getByText(FINISHED).waitFor();
    expect(await page.locator('.running-head').innerText()).toMatch(/^41\.9°\sN 87\.6°\sW$/);
    expect(await page.locator('.posterior').innerText()).toContain('The place was told.');

    await page.getByText('Anywhere', { exact: true }).click();
    await page.getByRole('button', { name: 'Write', exact: true }).click();
    await expect.poll(() => (bodies.at(-1)?.body as Body).handle).toBeUndefined();
    await page.getByRole('img', { name: /^Where it seems to be written: / }).waitFor();
  });

  it('zooms the map of places to the point, and shows all again', async (context) => {
    const slot = await placeSlot(base());
    if (slot === undefined) return context.skip();
    const { page } = await open('dream?place=41.88,-87.63');
    await mapInPlace(page);
    expect(await page.getByRole('spinbutton', { name: 'Latitude' }).inputValue()).toBe('41.88');
    const land = (): Promise<string | null> => page.locator('.place-map .place-land').first().getAttribute('transform');
    const thumb = (): Promise<string | null> => page.locator('.place-map .pad-thumb').getAttribute('style');
    const first = [await land(), await thumb()];
    await page.getByRole('button', { name: 'Zoom in' }).click();
    expect(await land()).not.toBe(first[0]);
    expect(await thumb()).toBe(first[1]);
    await page.getByRole('slider', { name: 'Place, west to east' }).focus();
    for (let pressed = 0; pressed < 30; pressed += 1) await page.keyboard.press('Shift+ArrowRight');
    const frame = await mapInPlace(page);
    const box = (await page.locator('.place-map .pad-thumb').boundingBox()) ?? { x: 0, y: 0, width: 0, height: 0 };
    expect(box.x).toBeGreaterThan(frame.x - 1); /* the map follows */
    expect(box.x + box.width).toBeLessThan(frame.x + frame.width + 1);
    if (slot.region.radius < 50) await page.getByText('beyond what it has read').waitFor();
    await page.getByRole('spinbutton', { name: 'Latitude' }).fill('41.88');
    await page.getByRole('spinbutton', { name: 'Longitude' }).fill('-87.63');
    await page.getByRole('button', { name: 'Show all' }).click();
    expect([await land(), await thumb()]).toEqual(first);
  });

  it.runIf(isMock)('asks for no place of a model without', async () => {
    const mock = await startMock({ places: false });
    try {
      const { page, bodies } = await open('dream?place=41.88,-87.63', { base: mock.base });
      await page.getByText('Move along a direction').waitFor();
      expect(await page.getByText('Anywhere', { exact: true }).count()).toBe(0);
      await page.getByRole('button', { name: 'Write', exact: true }).click();
      await page.locator('.leaf-foot').getByText(FINISHED).waitFor();
      expect((bodies.at(-1)?.body as Body).handle).toBeUndefined();
      await page.close(); /* it would ask a server that is gone */
    } finally {
      await mock.stop();
    }
  });

  it.runIf(isMock)('says when the server is busy, and when the connection breaks, and keeps what came', async () => {
    const { page } = await open('dream', { isRefused: true });
    const prompt = page.getByRole('textbox', { name: 'Begin with' });
    await prompt.fill('BUSY');
    await page.getByRole('button', { name: 'Write', exact: true }).click();
    expect(await page.getByRole('alert').innerText()).toBe('The queue is full. Try again in 2 s.');
    await prompt.fill('BREAK');
    await page.getByRole('button', { name: 'Write', exact: true }).click();
    await page.getByText('The connection broke before the text was finished.').waitFor();
    expect(await page.locator('.leaf-text').innerText()).toContain('BREAK begun');
    await page.getByRole('button', { name: 'Write', exact: true }).waitFor();
  });
});
