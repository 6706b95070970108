import type { Page } from 'playwright-core';
import { describe, expect, it } from 'vitest';
import { JOBS } from '../mock_data.js';
import { api, isMock, startMock, useBrowser } from './support';

const { open, base } = useBrowser();

/* How often the page asked for jobs so far. */
function looks(page: Page): { count: number } {
  const asked = { count: 0 };
  page.on('request', (request) => {
    if (new URL(request.url()).pathname === '/v1/jobs') asked.count += 1;
  });
  return asked;
}

async function hide(page: Page, isHidden: boolean): Promise<void> {
  await page.evaluate((hidden) => {
    Object.defineProperty(document, 'visibilityState', { configurable: true, get: () => (hidden ? 'hidden' : 'visible') });
    document.dispatchEvent(new Event('visibilitychange'));
  }, isHidden);
}

it.skipIf(isMock)('the jobs of a real server are shown', async (context) => {
  const { trine } = await api<{ trine: { jobs: boolean } }>(base(), 'v1/models');
  const { jobs } = trine.jobs ? await api<{ jobs: { name: string; text: string }[] }>(base(), 'v1/jobs') : { jobs: [] };
  const job = jobs[0];
  if (job === undefined) return context.skip();
  const { page } = await open('dream');
  const strip = page.getByRole('complementary', { name: 'Long jobs on the server' });
  await strip.waitFor();
  expect(await strip.innerText()).toContain(job.text);
  expect(await page.getByRole('progressbar', { name: `Progress: ${job.name}` }).first().getAttribute('aria-valuetext')).toMatch(/%, \d+ of \d+\ssteps?, .+/);
});

describe.runIf(isMock)('long jobs', () => {
  it('are shown with their progress, and gone when they are done', async () => {
    const jobs: Record<string, unknown>[] = [...JOBS];
    const mock = await startMock({ jobs });
    try {
      const { page } = await open('truth', { base: mock.base });
      const strip = page.getByRole('complementary', { name: 'Long jobs on the server' });
      await strip.waitFor();
      expect(await strip.getByRole('listitem').count()).toBe(2);
      const first = strip.getByRole('listitem').first();
      expect(await first.innerText()).toMatch(/truth train\s+loss 0\.412 held out 0\.455\s+13\smin left/);
      const bar = page.getByRole('progressbar', { name: 'Progress: truth train' });
      expect(await bar.getAttribute('aria-valuenow')).toBe('78');
      expect(await bar.getAttribute('aria-valuetext')).toMatch(/^78\s%, 620 of 800\ssteps, 13\smin left$/);
      jobs.length = 0;
      await hide(page, true);
      await hide(page, false);
      await strip.waitFor({ state: 'detached' });
      await page.close(); /* it would ask a server that is gone */
    } finally {
      await mock.stop();
    }
  });

  it('are asked for again and again, but not while nobody looks', async () => {
    const mock = await startMock({ jobs: [...JOBS] });
    try {
      const { page } = await open('truth', { base: mock.base });
      await page.getByRole('complementary', { name: 'Long jobs on the server' }).waitFor();
      const asked = looks(page);
      await page.clock.install();
      await hide(page, true);
      await page.clock.runFor(120_000);
      expect(asked.count).toBe(0);
      await hide(page, false);
      await expect.poll(() => asked.count).toBe(1);
      await expect.poll(async () => {
        await page.clock.runFor(5_100);
        return asked.count;
      }).toBeGreaterThan(2);
      await page.close(); /* it would ask a server that is gone */
    } finally {
      await mock.stop();
    }
  });

  it('take no room where there are none', async () => {
    const { page } = await open('truth');
    await page.getByRole('textbox', { name: 'Statement' }).waitFor();
    await page.waitForTimeout(100);
    expect(await page.locator('.jobs').count()).toBe(0);
  });

  for (const [who, options] of [
    ['a caller who may not', { scope: 'truth' }],
    ['a server that does not look on', { jobs: null }],
  ] as const) {
    it(`are not asked of ${who}`, async () => {
      const mock = await startMock(options);
      try {
        const { page } = await open('truth', { base: mock.base });
        const asked = looks(page);
        await page.reload();
        await page.getByRole('textbox', { name: 'Statement' }).waitFor();
        await page.waitForTimeout(200);
        expect(asked.count).toBe(0);
        await page.close(); /* it would ask a server that is gone */
      } finally {
        await mock.stop();
      }
    });
  }
});
