import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import type { AxeResults } from 'axe-core';
import type { Page } from 'playwright-core';
import { describe, expect, it } from 'vitest';
import { JOBS } from '../mock_data.js';
import { hasLayer, isMock, LAYER_OF, startMock, useBrowser, WORK } from './support';

const { open, base } = useBrowser();
const AXE = readFileSync(createRequire(import.meta.url).resolve('axe-core/axe.min.js'), 'utf8');

/* What axe finds wrong, as lines to read. */
async function violations(page: Page): Promise<string[]> {
  await page.waitForTimeout(350); /* a bar that still grows has no colour to judge */
  await page.evaluate(AXE);
  const results = await page.evaluate(
    () =>
      (window as unknown as { axe: { run: (root: Document, options: object) => Promise<AxeResults> } }).axe.run(document, {
        runOnly: ['wcag2a', 'wcag2aa', 'wcag21a', 'wcag21aa', 'wcag22aa', 'best-practice'],
      }),
  );
  return results.violations.flatMap(({ id, help, nodes }) =>
    nodes.map((node) => `${id}: ${help}: ${node.html.slice(0, 160)} ${node.failureSummary ?? ''}`),
  );
}

describe('accessibility', () => {
  for (const name of Object.keys(WORK)) {
    for (const colorScheme of ['light', 'dark'] as const) {
      it(`${name}, ${colorScheme}: nothing for axe to find, empty and at work`, async (context) => {
        if (!(await hasLayer(base(), LAYER_OF[name] ?? ''))) return context.skip();
        const { page } = await open(name, { colorScheme });
        await page.locator('.panel:not([hidden]) .model').waitFor();
        expect(await violations(page)).toEqual([]);
        await WORK[name]?.(page);
        expect(await violations(page)).toEqual([]);
      });
    }
  }

  for (const colorScheme of ['light', 'dark'] as const) {
    it(`the form's rarer parts, ${colorScheme}`, async () => {
      const { page } = await open('dream', { colorScheme });
      await page.getByRole('checkbox', { name: 'Compare two, side by side' }).check();
      await page.getByText('A year', { exact: true }).click();
      if (isMock) await page.getByText('A place', { exact: true }).click();
      await page.getByText('Move along a direction').click();
      await page.getByText('A mixture').click();
      await page.getByRole('combobox', { name: 'Author top left' }).fill('a');
      expect(await violations(page)).toEqual([]);
      await page.keyboard.press('Enter');
      await page.getByText('A sample').click();
      await page.getByRole('button', { name: 'Write', exact: true }).click();
      await page.getByRole('alert').waitFor();
      expect(await violations(page)).toEqual([]);
      await page.getByRole('button', { name: 'Access key' }).click();
      expect(await violations(page)).toEqual([]);
    });
  }

  for (const colorScheme of ['light', 'dark'] as const) {
    it.runIf(isMock)(`jobs, and the market, ${colorScheme}`, async () => {
      const mock = await startMock({ jobs: [...JOBS] });
      try {
        const { page } = await open('truth', { base: mock.base, colorScheme });
        await page.locator('.jobs').waitFor();
        await WORK['truth']?.(page);
        await page.getByText('The same as a table').click();
        await page.getByText('A sentence from the market').click();
        await page.locator('.market-list button').first().waitFor();
        await page.getByRole('checkbox', { name: 'This is a formula' }).check();
        expect(await violations(page)).toEqual([]);
        await page.close(); /* it would ask a server that is gone */
      } finally {
        await mock.stop();
      }
    });
  }

  it.runIf(isMock)('refusals', async () => {
    const mock = await startMock({ keys: true });
    try {
      const { page } = await open('truth', { base: mock.base, colorScheme: 'dark', isRefused: true });
      await page.getByRole('heading', { name: 'This server wants an access key' }).waitFor();
      expect(await violations(page)).toEqual([]);
    } finally {
      await mock.stop();
    }
  });
});

describe('on a phone', () => {
  for (const name of Object.keys(WORK)) {
    it(`${name} fits into 360 pixels, empty and at work`, async (context) => {
      if (!(await hasLayer(base(), LAYER_OF[name] ?? ''))) return context.skip();
      const { page } = await open(name, { viewport: { width: 360, height: 740 }, hasTouch: true, isMobile: true });
      await page.locator('.panel:not([hidden]) .model').waitFor();
      const width = (): Promise<number> => page.evaluate(() => document.scrollingElement?.scrollWidth ?? 0);
      expect(await width()).toBeLessThanOrEqual(360);
      await WORK[name]?.(page);
      expect(await width()).toBeLessThanOrEqual(360);
      /* Nothing sticks out, but in boxes that scroll by themselves. */
      const outside = await page.evaluate(() =>
        [...document.querySelectorAll('.panel:not([hidden]) *')]
          .filter((element) => element.closest('.scroller, .unseen, svg') === null)
          .filter((element) => element.getBoundingClientRect().right > 360.5)
          .map((element) => `${element.tagName} ${element.className}`),
      );
      expect(outside).toEqual([]);
      const small = await page.evaluate(() =>
        [...document.querySelectorAll<HTMLElement>('.panel:not([hidden]) button, .tabs a, .masthead-tools button')]
          .filter((element) => element.offsetParent !== null)
          .filter((element) => element.getBoundingClientRect().height < 24)
          .map((element) => element.textContent),
      );
      expect(small).toEqual([]);
    });
  }

  it.runIf(isMock)('the map of places fits into 360 pixels', async () => {
    const { page } = await open('dream?place=41.88,-87.63', { viewport: { width: 360, height: 740 }, hasTouch: true, isMobile: true });
    await page.locator('.place-map').waitFor();
    await page.getByRole('button', { name: 'Zoom in' }).tap();
    expect(await page.evaluate(() => document.scrollingElement?.scrollWidth ?? 0)).toBeLessThanOrEqual(360);
    const outside = await page.evaluate(() =>
      [...document.querySelectorAll('.place-map *')]
        .filter((element) => element.closest('.unseen, svg') === null)
        .filter((element) => element.getBoundingClientRect().right > 360.5)
        .map((element) => `${element.tagName} ${element.className}`),
    );
    expect(outside).toEqual([]);
  });

  it.runIf(isMock)('jobs, and the market, fit into 360 pixels', async () => {
    const mock = await startMock({ jobs: [...JOBS] });
    try {
      const { page } = await open('truth', { base: mock.base, viewport: { width: 360, height: 740 }, hasTouch: true, isMobile: true });
      await page.locator('.jobs').waitFor();
      await WORK['truth']?.(page);
      await page.getByText('The same as a table').click();
      await page.getByText('A sentence from the market').click();
      await page.locator('.market-list button').first().waitFor();
      expect(await page.evaluate(() => document.scrollingElement?.scrollWidth ?? 0)).toBeLessThanOrEqual(360);
      const outside = await page.evaluate(() =>
        [...document.querySelectorAll('.jobs *, .prices-of *, .market-picker *')]
          .filter((element) => element.closest('.scroller, .unseen, svg') === null)
          .filter((element) => element.getBoundingClientRect().right > 360.5)
          .map((element) => `${element.tagName} ${element.className}`),
      );
      expect(outside).toEqual([]);
      await page.close(); /* it would ask a server that is gone */
    } finally {
      await mock.stop();
    }
  });
});
