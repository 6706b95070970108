import { describe, expect, it } from 'vitest';
import { api, hasLayer, isMock, startMock, tabTo, useBrowser } from './support';

const { open, base } = useBrowser();
const STATEMENT = 'The American union consists of forty-five states.';

describe('Truth', () => {
  it('judges a statement: odds, verdict, sources, who disagrees', async (context) => {
    if (!(await hasLayer(base(), 'truth'))) return context.skip();
    const { data } = await api<{ data: { id: string; layer: string }[] }>(base(), 'v1/models');
    const model = encodeURIComponent(data.find(({ layer }) => layer === 'truth')?.id ?? '');
    const { standards } = await api<{ standards: { name: string }[] }>(base(), `v1/standards?model=${model}`);
    const name = standards.at(-1)?.name ?? '';
    const { page, bodies } = await open('truth');
    await page.getByLabel('Standard of truth').selectOption(name);
    await page.getByRole('textbox', { name: 'Statement' }).fill(STATEMENT);
    await page.getByRole('button', { name: 'Judge' }).click();
    const meter = page.getByRole('meter', { name: 'Probability that it is true' });
    await meter.waitFor();
    expect(bodies.at(-1)?.body).toMatchObject({ statement: STATEMENT, standard: name });
    const value = Number(await meter.getAttribute('aria-valuenow'));
    expect(value).toBeGreaterThanOrEqual(0);
    expect(value).toBeLessThanOrEqual(1);
    expect(await meter.getAttribute('aria-valuetext')).toMatch(/%, .+/);
    const result = page.getByRole('article', { name: `Result: ${STATEMENT}` });
    expect(await result.innerText()).toMatch(/Verdict/i);
    await result.getByRole('heading', { name: 'Sources' }).waitFor();
    if (isMock) {
      expect(await result.getByText('speaks against it').count()).toBe(1);
      expect(await result.getByRole('list', { name: /^Who disagrees/ }).getByRole('listitem').count()).toBe(3);
    }
  });

  it('answers a question, and keeps what was asked', async (context) => {
    if (!(await hasLayer(base(), 'truth'))) return context.skip();
    const { page, bodies } = await open('truth');
    await page.getByRole('textbox', { name: 'Statement' }).fill(STATEMENT);
    await page.keyboard.press('Enter');
    await page.getByRole('meter').waitFor();
    await page.locator('.choice').getByText('Question', { exact: true }).click();
    await page.getByRole('textbox', { name: 'Question' }).fill('Who was president in 1863?');
    await page.keyboard.press('Enter');
    await page.getByRole('list', { name: 'Answers' }).waitFor();
    expect(bodies.at(-1)?.path).toMatch(/\/v1\/ask$/);
    expect(bodies.at(-1)?.body).toMatchObject({ question: 'Who was president in 1863?' });
    const history = page.getByRole('region', { name: 'Asked in this session' }).or(page.locator('.history'));
    const entries = history.first().getByRole('button');
    expect(await entries.count()).toBe(2);
    await entries.nth(1).click();
    await page.getByRole('meter').waitFor();
    expect(await entries.nth(1).getAttribute('aria-current')).toBe('true');
  });

  it('judges a formula', async (context) => {
    if (!(await hasLayer(base(), 'truth'))) return context.skip();
    const { page, bodies } = await open('truth');
    await page.getByRole('checkbox', { name: 'This is a formula' }).check();
    const formula = '"The moon is made of cheese." or not "The moon is made of cheese."';
    await page.getByRole('textbox', { name: 'Formula' }).fill(formula);
    await page.getByRole('button', { name: 'Judge' }).click();
    await page.getByRole('meter').waitFor();
    expect(bodies.at(-1)?.body['formula']).toBe(formula);
    expect(bodies.at(-1)?.body['statement']).toBeUndefined();
    await page.locator('.choice').getByText('Question', { exact: true }).click();
    expect(await page.getByRole('checkbox', { name: 'This is a formula' }).count()).toBe(0);
  });

  it('shows what a market thought of the statement, also to those who do not see the chart', async (context) => {
    const { data } = await api<{ data: { id: string; market: boolean }[] }>(base(), 'v1/models');
    const model = data.find(({ market }) => market)?.id;
    if (model === undefined) return context.skip();
    interface Listed {
      days: number;
      sentences: { text: string; formula: boolean; verdict: string | null; day: number | null }[];
    }
    const market = await api<Listed>(base(), `v1/market?model=${encodeURIComponent(model)}`);
    const one = market.sentences.find(({ formula, verdict }) => !formula && verdict !== null);
    if (one === undefined) throw new Error('nothing became known in this market');
    const { page } = await open('truth');
    await page.getByRole('textbox', { name: 'Statement' }).fill(one.text.toUpperCase().replace(/\.$/, ' !'));
    await page.keyboard.press('Enter');
    const history = page.getByRole('region', { name: 'What the market thought' });
    await history.waitFor();
    const since = one.day ? `since day ${one.day}` : 'from the beginning';
    const label = await history.getByRole('img').getAttribute('aria-label');
    expect(label).toMatch(/^Price by day\. From .+\s% on day 1 to .+\s% on day \d+, never below .+\s% nor above .+\s%\. /);
    expect(label).toContain(`on day ${market.days},`);
    expect(label).toContain(`Known to be ${one.verdict}`);
    expect(label).toContain(since);
    expect(await history.locator('.chart-mark').count()).toBe(one.day ? 1 : 0);
    const slider = history.getByRole('slider', { name: 'Day' });
    await slider.focus();
    await page.keyboard.press('Home');
    expect(await slider.getAttribute('aria-valuetext')).toMatch(/^Day 1: .+\s%$/);
    await history.locator('.prices-here').getByText(/^Day 1: /).waitFor();
    await history.getByText('The same as a table').click();
    const rows = history.getByRole('region', { name: 'Table of prices' }).getByRole('rowheader');
    expect(await rows.count()).toBe(Math.min(market.days, 60));
    if (isMock) expect(await history.getByRole('rowheader', { name: 'almanac' }).count()).toBe(1);
  });

  it.runIf(isMock)('shows no prices of what is in no market, and asks no server for one that has none', async () => {
    const { page } = await open('truth');
    await page.getByRole('textbox', { name: 'Statement' }).fill('Nobody ever traded this.');
    await page.keyboard.press('Enter');
    await page.getByRole('meter').waitFor();
    await page.waitForTimeout(150);
    expect(await page.locator('.prices-of').count()).toBe(0);
    const mock = await startMock({ market: false });
    try {
      const visit = await open('truth', { base: mock.base });
      let asked = 0;
      visit.page.on('request', (request) => (asked += request.url().includes('/v1/market') ? 1 : 0));
      await visit.page.getByRole('textbox', { name: 'Statement' }).fill(STATEMENT);
      await visit.page.keyboard.press('Enter');
      await visit.page.getByRole('meter').waitFor();
      expect(await visit.page.getByText('A sentence from the market').count()).toBe(0);
      expect(asked).toBe(0);
    } finally {
      await mock.stop();
    }
  });

  it.runIf(isMock)('offers the sentences of the market, formulas as formulas', async () => {
    const { page, bodies } = await open('truth');
    await page.getByText('A sentence from the market').click();
    await page.getByText('20 of 47\u00a0sentences; type to find others').waitFor();
    await page.getByRole('textbox', { name: 'Words that it has' }).fill('moon');
    await page.getByText('2\u00a0sentences', { exact: true }).waitFor();
    await page.getByRole('button', { name: /and not "The moon/ }).click();
    const text = page.getByRole('textbox', { name: 'Formula' });
    expect(await text.inputValue()).toMatch(/^"The American union .* and not "The moon is made of cheese\."$/);
    expect(await text.evaluate((element) => element === document.activeElement)).toBe(true);
    await page.keyboard.press('Enter');
    await page.getByRole('region', { name: 'What the market thought' }).waitFor();
    expect(bodies.at(-1)?.body).toHaveProperty('formula');
    await page.getByText('A sentence from the market').click();
    await page.getByRole('textbox', { name: 'Words that it has' }).fill('moon made');
    await page.getByRole('button', { name: /The moon is made of cheese\.\s*$/ }).click();
    await page.getByRole('textbox', { name: 'Statement' }).waitFor();
  });

  it('works with the keyboard alone', async (context) => {
    if (!(await hasLayer(base(), 'truth'))) return context.skip();
    const { page } = await open('truth');
    await tabTo(page, page.getByRole('textbox', { name: 'Statement' }));
    await page.keyboard.type(STATEMENT);
    await page.keyboard.press('Tab');
    await page.keyboard.press('Enter');
    await page.getByRole('meter').waitFor();
  });
});
