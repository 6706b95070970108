import { describe, expect, it } from 'vitest';
import { api, hasLayer, isMock, tabTo, useBrowser } from './support';

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
