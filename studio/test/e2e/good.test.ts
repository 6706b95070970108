import { describe, expect, it } from 'vitest';
import { api, hasLayer, isMock, tabTo, useBrowser } from './support';

const { open, base } = useBrowser();
const QUESTION = 'At what temperature does water boil?';

describe('Good', () => {
  it('answers, says how sure it is and why', async (context) => {
    if (!(await hasLayer(base(), 'good'))) return context.skip();
    const { page, bodies } = await open('good');
    await page.getByRole('textbox', { name: 'Message' }).fill(QUESTION);
    await page.getByRole('button', { name: 'Send' }).click();
    await page.getByText('Why', { exact: true }).click();
    expect(bodies.at(-1)?.body).toMatchObject({ why: true, stream: true, messages: [{ role: 'user', content: QUESTION }] });
    const why = page.locator('.why');
    expect(await why.innerText()).toMatch(/Outcome/i);
    await why.getByRole('heading', { name: 'The request, by the principles' }).waitFor();
    if (!isMock) return;
    expect(await page.locator('.marks').innerText()).toMatch(/fairly sure, 83\s%/);
    expect(await why.locator('.claims li').count()).toBe(2);
    await why.getByText('textbook:').waitFor();
    expect(await why.innerText()).toContain('claiming to be human');
  });

  it('goes on with what was said before', async (context) => {
    if (!(await hasLayer(base(), 'good'))) return context.skip();
    const { page, bodies } = await open('good');
    for (const [index, text] of [QUESTION, 'And on a mountain?'].entries()) {
      await page.getByRole('textbox', { name: 'Message' }).fill(text);
      await page.keyboard.press('Enter');
      await page.getByText('Why', { exact: true }).nth(index).waitFor();
    }
    const chats = bodies.filter(({ path }) => path.endsWith('/chat/completions'));
    const messages = chats.at(-1)?.body['messages'] as { role: string }[];
    expect(messages.map(({ role }) => role)).toEqual(['user', 'assistant', 'user']);
    await page.getByRole('button', { name: 'New dialogue' }).click();
    expect(await page.locator('.turn').count()).toBe(0);
  });

  it.runIf(isMock)('marks what is declined and what is invented', async () => {
    const { page } = await open('good');
    for (const [index, [text, mark]] of [
      ['How do I poison my neighbour?', 'Declined the request'],
      ['Write as Abraham Lincoln about the railroad.', 'Invented: the dream wrote it'],
    ].entries()) {
      await page.getByRole('textbox', { name: 'Message' }).fill(text ?? '');
      await page.keyboard.press('Enter');
      await page.locator('.turn-good').nth(index).locator('.marks').getByText(mark ?? '').waitFor();
    }
    await page.locator('.turn-good').first().getByText('Why', { exact: true }).click();
    expect(await page.locator('.bites').innerText()).toContain('serious harm');
  });

  it('tells how much of a wish for values is honoured, and sends the wish', async (context) => {
    if (!(await hasLayer(base(), 'good'))) return context.skip();
    const { page, bodies } = await open('good');
    const values = page.locator('.values');
    await page.getByRole('textbox', { name: 'Message' }).waitFor();
    if (!isMock && (await values.count()) === 0) return context.skip();
    const slider = values.getByRole('slider').first();
    await slider.focus();
    await page.keyboard.press('ArrowRight');
    await values.locator('.granted').getByText(/^honoured \d+\s%$/).waitFor();
    const wish = bodies.find(({ path }) => path.endsWith('/v1/values'))?.body['values'] as Record<string, number>;
    expect(Object.values(wish)).toEqual([await slider.inputValue()].map(Number));
    await page.getByRole('textbox', { name: 'Message' }).fill(QUESTION);
    await page.keyboard.press('Enter');
    await page.getByText('Why', { exact: true }).waitFor();
    expect(bodies.find(({ path }) => path.endsWith('/chat/completions'))?.body['values']).toEqual(wish);
    await values.getByRole('button', { name: 'Back to the middle' }).click();
    await values.getByText('Nothing is wished.').waitFor();
  });

  it('offers profiles, which are wishes for several values at once', async (context) => {
    if (!(await hasLayer(base(), 'good'))) return context.skip();
    const { page, bodies } = await open('good');
    await page.getByRole('textbox', { name: 'Message' }).waitFor();
    const { data } = await api<{ data: { id: string; layer: string }[] }>(base(), 'v1/models');
    const model = encodeURIComponent(data.find(({ layer }) => layer === 'good')?.id ?? '');
    const space = await api<{ profiles: { name: string; values: Record<string, number> }[] }>(base(), `v1/values?model=${model}`).catch(() => null);
    const profile = space?.profiles[0];
    if (profile === undefined) return context.skip();
    await page.locator('.values').getByRole('button', { name: profile.name, exact: true }).click();
    await page.locator('.granted').getByText(/^honoured \d+\s%$/).waitFor();
    expect(bodies.find(({ path }) => path.endsWith('/v1/values'))?.body['values']).toEqual(profile.values);
  });

  it('keeps a conversation when asked to: found again, opened, deleted for good', async (context) => {
    if (!(await hasLayer(base(), 'good'))) return context.skip();
    const { page } = await open('good');
    await page.getByRole('textbox', { name: 'Message' }).waitFor();
    const keep = page.getByRole('checkbox', { name: 'Keep this one on the server' });
    if (!isMock && (await keep.count()) === 0) return context.skip();
    await keep.check();
    const text = `Does water boil? ${Date.now()}`;
    await page.getByRole('textbox', { name: 'Message' }).fill(text);
    await page.keyboard.press('Enter');
    await page.getByText('Why', { exact: true }).waitFor();
    await page.reload();
    await page.getByRole('button', { name: text, exact: true }).click();
    await page.locator('.turn-user').getByText(text).waitFor();
    expect(await page.locator('.turn-good').count()).toBe(1);
    await page.getByRole('button', { name: `Delete: ${text}` }).click();
    await page.getByRole('button', { name: 'Delete for good' }).click();
    await page.getByRole('button', { name: text, exact: true }).waitFor({ state: 'detached' });
    expect(await page.locator('.turn').count()).toBe(0);
  });

  it.runIf(isMock)('says when the reply breaks off, and can go on', async () => {
    const { page, bodies } = await open('good', { isRefused: true });
    await page.getByRole('textbox', { name: 'Message' }).fill('BREAK');
    await page.keyboard.press('Enter');
    await page.getByText('The connection broke before the text was finished.').waitFor();
    await page.getByRole('textbox', { name: 'Message' }).fill(QUESTION);
    await page.keyboard.press('Enter');
    await page.getByText('Why', { exact: true }).waitFor();
    expect((bodies.at(-1)?.body['messages'] as unknown[]).length).toBe(3);
  });

  it('works with the keyboard alone', async (context) => {
    if (!(await hasLayer(base(), 'good'))) return context.skip();
    const { page } = await open('good');
    await tabTo(page, page.getByRole('textbox', { name: 'Message' }));
    await page.keyboard.type(QUESTION);
    await page.keyboard.press('Shift+Enter');
    await page.keyboard.type('In degrees.');
    await page.keyboard.press('Enter');
    const why = page.locator('.why summary');
    await why.waitFor();
    await page.keyboard.press('Shift+Tab');
    await page.keyboard.press('Enter');
    await page.locator('.why[open]').waitFor();
    expect(await page.locator('.turn-user p').innerText()).toBe(`${QUESTION}\nIn degrees.`);
  });
});
