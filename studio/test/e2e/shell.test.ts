import { describe, expect, it } from 'vitest';
import { isMock, panel, startMock, tabTo, useBrowser } from './support';

const { open } = useBrowser();

describe('the page', () => {
  it('opens the panel that the address names, and names it in title and address', async () => {
    const { page } = await open('truth');
    expect(await page.title()).toBe('Truth · Trine');
    await page.getByRole('tab', { name: 'Atlas' }).click();
    expect(new URL(page.url()).hash).toBe('#atlas');
    expect(await page.title()).toBe('Atlas · Trine');
    await page.goBack();
    await expect.poll(() => page.title()).toBe('Truth · Trine');
  });

  it('fills the form from the address', async () => {
    const { page } = await open('dream?author=Somebody&date=1777');
    expect(await page.getByRole('combobox', { name: 'Author' }).inputValue()).toBe('Somebody');
    expect(await page.getByRole('slider', { name: 'Year' }).inputValue()).toBe('1777');
  });

  it('goes through the tabs with the arrow keys', async () => {
    const { page } = await open('dream');
    await tabTo(page, page.getByRole('tab', { name: 'Dream' }));
    for (const [key, name] of [['ArrowRight', 'Read'], ['End', 'Good'], ['ArrowRight', 'Dream'], ['ArrowLeft', 'Good'], ['Home', 'Dream']] as const) {
      await page.keyboard.press(key);
      const tab = page.getByRole('tab', { name });
      await expect.poll(() => tab.getAttribute('aria-selected')).toBe('true');
      expect(await tab.evaluate((element) => element === document.activeElement)).toBe(true);
      const controlled = await tab.getAttribute('aria-controls');
      expect(await panel(page).getAttribute('id')).toBe(controlled);
    }
    expect(await page.locator('[role=tab][tabindex="0"]').count()).toBe(1);
  });

  it('can be skipped to', async () => {
    const { page } = await open('read');
    await page.keyboard.press('Tab');
    const skip = page.getByRole('link', { name: 'Skip to the panel' });
    expect(await skip.evaluate((element) => element === document.activeElement)).toBe(true);
    await page.keyboard.press('Enter');
    expect(await page.evaluate(() => document.activeElement?.id)).toBe('panel-read');
    expect(new URL(page.url()).hash).toBe('#read');
  });

  it('keeps what a panel shows while another is looked at', async () => {
    const { page } = await open('read');
    await page.getByRole('textbox', { name: 'A text' }).fill('Kept.');
    await page.getByRole('tab', { name: 'Truth' }).click();
    await page.getByRole('tab', { name: 'Read' }).click();
    expect(await page.getByRole('textbox', { name: 'A text' }).inputValue()).toBe('Kept.');
  });

  it('is light or dark as the system says, or as was chosen', async () => {
    const { page } = await open('dream', { colorScheme: 'dark' });
    const paper = (): Promise<string> => page.evaluate(() => getComputedStyle(document.body).backgroundColor);
    const dark = await paper();
    await page.getByRole('button', { name: /^Colours: as the system/ }).click();
    const light = await paper();
    expect(light).not.toBe(dark);
    await page.reload();
    expect(await paper()).toBe(light);
    await page.getByRole('button', { name: /^Colours: light/ }).click();
    expect(await paper()).toBe(dark);
    await page.getByRole('button', { name: /^Colours: dark/ }).click();
    await page.emulateMedia({ colorScheme: 'light' });
    expect(await paper()).toBe(light);
  });

  it('does not move when motion is not wanted', async () => {
    const { page } = await open('dream', { reducedMotion: 'reduce' });
    await page.getByRole('button', { name: 'Write', exact: true }).click();
    await page.locator('.leaf-foot').waitFor();
    const moving = await page.evaluate(() => document.getAnimations().length);
    expect(moving).toBe(0);
    const durations = await page.locator('.bar-fill').evaluateAll((bars) => bars.map((bar) => getComputedStyle(bar).transitionDuration));
    expect(durations.every((duration) => duration === '0s')).toBe(true);
  });

  it('is sent with a policy that forbids whatever stands in the page itself', async () => {
    const { page, base } = await open('dream');
    const response = await page.request.get(base);
    const policy = response.headers()['content-security-policy'] ?? '';
    expect(policy).toContain("default-src 'none'");
    expect(policy).toContain("script-src 'self'");
    expect(policy).not.toContain('unsafe');
    const html = await response.text();
    expect(html).not.toMatch(/<style|style=|\son\w+=|javascript:/);
    expect([...html.matchAll(/<script([^>]*)>/g)].every(([, attributes]) => attributes?.includes('src='))).toBe(true);
  });
});

describe.runIf(isMock)('access', () => {
  it('asks for a key where one is wanted, and works with it; the key lives in the tab only', async () => {
    const mock = await startMock({ keys: true });
    try {
      const { page } = await open('dream', { base: mock.base, isRefused: true });
      for (const name of ['Dream', 'Read', 'Atlas', 'Truth', 'Good']) {
        await page.getByRole('tab', { name }).click();
        await panel(page).getByRole('heading', { name: 'This server wants an access key' }).waitFor();
        expect(await panel(page).innerText()).toContain('trine key new --keys FILE --scope');
      }
      await panel(page).getByRole('button', { name: 'Enter an access key' }).click();
      const dialog = page.getByRole('dialog', { name: 'Access key' });
      await dialog.getByLabel('Key', { exact: true }).fill('trine-dream');
      await page.keyboard.press('Enter');
      await panel(page).getByRole('textbox', { name: 'Message' }).waitFor();
      await page.getByRole('tab', { name: 'Dream' }).click();
      await page.getByRole('spinbutton', { name: 'Tokens' }).fill('5');
      await page.getByRole('button', { name: 'Write', exact: true }).click();
      await page.getByText('As many tokens as were asked for.').waitFor();
      const stored = await page.evaluate(() => [JSON.stringify(localStorage), document.cookie, sessionStorage.getItem('trine-key')]);
      expect(stored).toEqual(['{}', '', 'trine-dream']);
      expect(page.url()).not.toContain('trine-dream');
      await page.getByRole('button', { name: 'Key in use' }).click();
      await page.getByRole('button', { name: 'Forget the key' }).click();
      await panel(page).getByRole('heading', { name: 'This server wants an access key' }).waitFor();
      expect(await page.evaluate(() => sessionStorage.length)).toBe(0);
    } finally {
      await mock.stop();
    }
  });

  it('says what is out of reach, and what the operator can do', async () => {
    const mock = await startMock({ keys: true });
    try {
      const { page } = await open('good', { base: mock.base, key: 'trine-good', isRefused: true });
      await page.getByRole('textbox', { name: 'Message' }).waitFor();
      for (const [name, layer] of [['Dream', 'dream'], ['Read', 'dream'], ['Atlas', 'dream'], ['Truth', 'truth']] as const) {
        await page.getByRole('tab', { name, exact: true }).click();
        await panel(page).getByRole('heading', { name: `The layer “${layer}” is not within reach` }).waitFor();
        const text = await panel(page).innerText();
        expect(text).toContain(`--scope ${layer}`);
        expect(text).toContain(`--local-scope ${layer}`);
      }
    } finally {
      await mock.stop();
    }
  });

  it('offers no kept conversations where none are kept', async () => {
    const mock = await startMock({ conversations: false });
    try {
      const { page } = await open('good', { base: mock.base });
      let asked = 0;
      page.on('request', (request) => (asked += request.url().includes('/v1/conversations') ? 1 : 0));
      await page.reload();
      await page.locator('.values').waitFor();
      expect(await page.getByText('Kept conversations').count()).toBe(0);
      expect(asked).toBe(0); /* the list of models says so */
    } finally {
      await mock.stop();
    }
  });

  it('says when the server is gone', async () => {
    const mock = await startMock();
    const { page } = await open('truth', { base: mock.base, isRefused: true });
    await page.getByRole('textbox', { name: 'Statement' }).fill('It is still there.');
    await mock.stop();
    await page.keyboard.press('Enter');
    expect(await page.getByRole('alert').innerText()).toBe('The server does not answer. Is it still running?');
  });
});
