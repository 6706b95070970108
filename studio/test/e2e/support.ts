/* A browser, and a server to show: the mock, or the one at STUDIO_URL (with the access key STUDIO_KEY). */
import { chromium, type Browser, type BrowserContextOptions, type Locator, type Page, type Request } from 'playwright-core';
import { afterAll, afterEach, beforeAll, expect } from 'vitest';
import type { Region } from '../../src/lib/types';
import { createMockServer } from '../mock_server.js';

export const REAL = process.env['STUDIO_URL'] ?? '';
export const isMock = REAL === '';
const KEY = process.env['STUDIO_KEY'] ?? '';
/* A model writes slower than the mock, and either may share its machine with other tests. */
const PATIENCE = isMock ? 30_000 : 60_000;

const FLAGS = [
  '--headless',
  '--no-sandbox',
  '--disable-gpu',
  '--disable-quic',
  '--no-first-run',
  '--disable-background-networking',
  '--disable-component-update',
  '--disable-sync',
];

export interface MockOptions {
  scope?: 'good' | 'truth' | 'dream';
  keys?: boolean;
  conversations?: boolean;
  market?: boolean;
  places?: boolean;
  jobs?: Record<string, unknown>[] | null;
  delay?: number;
  layers?: string[];
}

interface Running {
  base: string;
  stop: () => Promise<void>;
}

export async function startMock(options: MockOptions = {}): Promise<Running> {
  const { server } = createMockServer({ delay: 3, ...options });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const address = server.address();
  if (address === null || typeof address === 'string') throw new Error('the mock has no port');
  return {
    base: `http://127.0.0.1:${address.port}/`,
    stop: () =>
      new Promise((resolve) => {
        server.closeAllConnections();
        server.close(() => resolve());
      }),
  };
}

/* What went wrong on a page without anybody being told: each test ends with a look at it. */
export interface Visit {
  page: Page;
  base: string;
  bodies: { path: string; body: Record<string, unknown> }[];
}

interface OpenOptions extends BrowserContextOptions {
  base?: string;
  key?: string;
  isRefused?: boolean; /* the server is expected to refuse something, which the browser notes */
}

export function useBrowser(): { open: (hash: string, options?: OpenOptions) => Promise<Visit>; base: () => string } {
  let browser: Browser;
  let mock: Running | null = null;
  const checks: (() => Promise<void>)[] = [];
  beforeAll(async () => {
    browser = await chromium.launch({ executablePath: process.env['CHROMIUM'] ?? '/usr/bin/chromium', args: FLAGS });
    if (isMock) mock = await startMock();
  });
  afterAll(async () => {
    await browser.close();
    await mock?.stop();
  });
  afterEach(async () => {
    for (const check of checks.splice(0)) await check();
  });
  const base = (): string => (isMock ? (mock?.base ?? '') : REAL.replace(/\/?$/, '/'));

  const open = async (hash: string, { base: other, key = KEY, isRefused = false, ...options }: OpenOptions = {}): Promise<Visit> => {
    const context = await browser.newContext({ viewport: { width: 1280, height: 860 }, ...options });
    context.setDefaultTimeout(PATIENCE);
    if (key !== '') await context.addInitScript((text) => sessionStorage.setItem('trine-key', text), key);
    const page = await context.newPage();
    const address = other ?? base();
    const { origin } = new URL(address);
    const wrong: string[] = [];
    page.on('console', (message) => {
      if (message.type() !== 'error' && message.type() !== 'warning') return;
      if (isRefused && message.text().startsWith('Failed to load resource')) return;
      wrong.push(`console: ${message.text()}`);
    });
    page.on('pageerror', (error) => wrong.push(`error: ${error.message}`));
    const visit: Visit = { page, base: address, bodies: [] };
    page.on('request', (request: Request) => {
      const url = new URL(request.url());
      if (url.origin !== origin && url.protocol !== 'blob:') wrong.push(`a request to another origin: ${request.url()}`);
      const text = request.postData();
      if (text) visit.bodies.push({ path: url.pathname, body: JSON.parse(text) as Record<string, unknown> });
    });
    checks.push(async () => {
      await context.close();
      expect(wrong).toEqual([]);
    });
    await page.goto(`${address}#${hash}`);
    await page.locator('.panel:not([hidden]) .panel-head').waitFor();
    await page.evaluate(async () => void (await document.fonts.ready)); /* what it is set in moves what is clicked */
    return visit;
  };
  return { open, base };
}

/* The server's own word, to compare the page with. */
export async function api<T>(base: string, path: string): Promise<T> {
  const response = await fetch(new URL(path, base), { headers: KEY === '' ? {} : { Authorization: `Bearer ${KEY}` } });
  if (!response.ok) throw new Error(`${path}: ${response.status}`);
  return (await response.json()) as T;
}

/* Whether a real server has what a test needs; the mock has everything. */
export async function hasLayer(base: string, layer: string): Promise<boolean> {
  const { data } = await api<{ data: { layer: string }[] }>(base, 'v1/models');
  return data.some((model) => model.layer === layer);
}

/* Its slot of places, where it has one. */
export async function placeSlot(base: string): Promise<{ name: string; region: Region } | undefined> {
  type Slot = { name: string; kind: string; region: Region };
  const { data } = await api<{ data: { layer: string; slots: Slot[] }[] }>(base, 'v1/models');
  return data.find(({ layer }) => layer === 'dream')?.slots.find(({ kind }) => kind === 'place');
}

export async function authors(base: string): Promise<string[]> {
  const { data } = await api<{ data: { id: string; layer: string }[] }>(base, 'v1/models');
  const model = data.find(({ layer }) => layer === 'dream');
  const atlas = await api<{ labels: Record<string, string[]> }>(base, `v1/atlas?model=${encodeURIComponent(model?.id ?? '')}`);
  return atlas.labels['author'] ?? [];
}

/* Presses Tab until the element has the focus, as somebody without a pointer does. */
export async function tabTo(page: Page, target: Locator, most = 80): Promise<void> {
  for (let pressed = 0; pressed < most; pressed += 1) {
    if (await target.evaluate((element) => element === document.activeElement)) return;
    await page.keyboard.press('Tab');
  }
  throw new Error(`not reached with ${most} times Tab: ${String(target)}`);
}

export const panel = (page: Page): Locator => page.locator('.panel:not([hidden])');

export const SAMPLE =
  'Fellow-citizens, we cannot escape history. We of this Congress and this administration will be remembered in ' +
  'spite of ourselves. The fiery trial through which we pass will light us down in honor or dishonor to the latest generation.';

/* Each panel at its work, so that there is something to see. */
export const WORK: Record<string, (page: Page) => Promise<void>> = {
  dream: async (page) => {
    await page.getByRole('spinbutton', { name: 'Tokens' }).fill('40');
    await page.getByRole('button', { name: 'Write', exact: true }).click();
    await page.locator('.leaf-foot').getByText(/As many tokens|came to its end/).waitFor();
  },
  read: async (page) => {
    await page.getByRole('textbox', { name: 'A text' }).fill(SAMPLE);
    await page.getByRole('button', { name: 'Read', exact: true }).click();
    await page.getByRole('heading', { name: 'Word by word' }).waitFor();
  },
  atlas: async (page) => {
    await page.getByRole('listbox', { name: 'Map of authors' }).focus();
    await page.keyboard.press('ArrowRight');
    await page.locator('.atlas-card h3').waitFor();
    await page.getByText('The same as a table').click();
  },
  truth: async (page) => {
    await page.getByRole('textbox', { name: 'Statement' }).fill('The American union consists of forty-five states.');
    await page.getByRole('button', { name: 'Judge' }).click();
    await page.getByRole('meter').waitFor();
  },
  good: async (page) => {
    await page.getByRole('textbox', { name: 'Message' }).fill('At what temperature does water boil?');
    await page.getByRole('button', { name: 'Send' }).click();
    await page.getByText('Why', { exact: true }).click();
  },
};
export const LAYER_OF: Record<string, string> = { dream: 'dream', read: 'dream', atlas: 'dream', truth: 'truth', good: 'good' };
