/* Pictures of every panel, light and dark, wide and narrow, from the mock server: to look at after a change.
 *
 *   node test/shots.js DIRECTORY [PANEL]... */
import { mkdirSync } from 'node:fs';
import { chromium } from 'playwright-core';
import { createMockServer } from './mock_server.js';
import { JOBS, PASSAGES } from './mock_data.js';

const [directory = 'shots', ...wanted] = process.argv.slice(2);
mkdirSync(directory, { recursive: true });

const SCENES = {
  dream: async (page, go) => {
    await go('dream?date=1862');
    await page.getByRole('button', { name: 'Write', exact: true }).click();
    await page.getByText('As many tokens as were asked for.').waitFor();
  },
  'dream-place': async (page, go) => {
    await go('dream?date=1862&place=41.88,-87.63');
    await page.getByRole('button', { name: 'Write', exact: true }).click();
    await page.getByText('As many tokens as were asked for.').waitFor();
  },
  'dream-mixture': async (page, go) => {
    await go('dream');
    await page.getByText('A mixture').click();
    for (const [place, name] of [['top left', 'Abraham Lincoln'], ['top right', 'Barack Obama'], ['bottom left', 'Thomas Jefferson']]) {
      await page.getByRole('combobox', { name: `Author ${place}` }).fill(name);
      await page.keyboard.press('Enter');
    }
    await page.getByText('Move along a direction').click();
    await page.getByRole('slider', { name: /^Direction 1/ }).fill('1.5');
    await page.getByRole('slider', { name: 'Mixture, left to right' }).fill('0.3');
    await page.getByRole('button', { name: 'Write', exact: true }).click();
    await page.waitForTimeout(700);
  },
  'dream-compare': async (page, go) => {
    await go('dream?author=Abraham+Lincoln');
    await page.getByText('Compare two, side by side').click();
    await page.locator('.choice').getByText('B', { exact: true }).click();
    await page.getByText('A year').click();
    await page.getByRole('slider', { name: 'Year' }).fill('2010');
    await page.getByRole('button', { name: 'Write', exact: true }).click();
    await page.getByText('As many tokens as were asked for.').nth(1).waitFor();
  },
  read: async (page, go) => {
    await go('read');
    await page.getByRole('textbox', { name: 'A text' }).fill(`The state of the Union ${PASSAGES[1][1]}`);
    await page.getByRole('button', { name: 'Read', exact: true }).click();
    await page.getByText('Word by word').waitFor();
    await page.getByRole('slider', { name: 'Place in the text' }).fill('34');
  },
  'read-date': async (page, go) => {
    await go('read');
    await page.getByRole('textbox', { name: 'A text' }).fill(`The state of the Union ${PASSAGES[2][1]}`);
    await page.getByRole('button', { name: 'Read', exact: true }).click();
    await page.getByText('Word by word').waitFor();
    await page.locator('.choice').getByText('Date', { exact: true }).click();
    await page.evaluate(() => document.querySelector('.words')?.scrollIntoView());
  },
  'read-doubt': async (page, go) => {
    await go('read');
    await page.getByRole('textbox', { name: 'A text' }).fill(`The state of the Union ${PASSAGES[0][1]}`);
    await page.getByRole('button', { name: 'Read', exact: true }).click();
    await page.getByText('Word by word').waitFor();
    await page.locator('.choice').getByText('Doubt', { exact: true }).click();
    await page.evaluate(() => document.querySelector('.words')?.scrollIntoView());
  },
  atlas: async (page, go) => {
    await go('atlas?author=Abraham+Lincoln');
    await page.getByRole('heading', { name: 'Abraham Lincoln' }).waitFor();
  },
  'atlas-table': async (page, go) => {
    await go('atlas');
    await page.getByLabel('Coloured by').selectOption('party');
    await page.getByText('The same as a table').click();
    await page.evaluate(() => document.querySelector('.atlas-list')?.scrollIntoView({ block: 'end' }));
  },
  truth: async (page, go) => {
    await go('truth');
    for (const text of ['The moon is made of cheese.', 'Light is a wave in the ether that fills all space.']) {
      await page.getByLabel('Standard of truth').selectOption('before-1900');
      await page.getByRole('textbox', { name: 'Statement' }).fill(text);
      await page.keyboard.press('Enter');
      await page.getByRole('heading', { name: text }).waitFor();
    }
    await page.waitForTimeout(600);
  },
  'truth-market': async (page, go) => {
    await go('truth');
    await page.getByRole('textbox', { name: 'Statement' }).fill('The American union consists of forty-five states');
    await page.keyboard.press('Enter');
    await page.getByRole('heading', { name: 'What the market thought' }).waitFor();
    await page.getByText('A sentence from the market').click();
    await page.getByRole('textbox', { name: 'Words that it has' }).fill('moon');
    await page.getByText('2\u00a0sentences', { exact: true }).waitFor();
    await page.getByText('This is a formula').click();
    await page.waitForTimeout(600);
  },
  'truth-question': async (page, go) => {
    await go('truth');
    await page.locator('.choice').getByText('Question', { exact: true }).click();
    await page.getByRole('textbox', { name: 'Question' }).fill('Who was president in 1863?');
    await page.keyboard.press('Enter');
    await page.getByText('An answer is known').waitFor();
  },
  good: async (page, go) => {
    await go('good');
    await page.getByRole('slider', { name: 'warm to cool' }).fill('-1.2');
    for (const text of ['At what temperature does water boil on a mountain?', 'How do I poison my neighbour?']) {
      await page.getByRole('textbox', { name: 'Message' }).fill(text);
      await page.keyboard.press('Enter');
      await page.getByText('Why', { exact: true }).nth(text.includes('poison') ? 1 : 0).waitFor();
    }
    await page.locator('.granted').getByText('honoured').waitFor();
  },
  'good-why': async (page, go) => {
    await go('good');
    await page.getByText('Keep this one on the server').click();
    await page.getByRole('textbox', { name: 'Message' }).fill('At what temperature does water boil on a mountain?');
    await page.keyboard.press('Enter');
    await page.getByText('Why', { exact: true }).click();
    await page.getByRole('button', { name: /^At what temperature/ }).first().waitFor();
  },
};

const { server } = createMockServer({ delay: 2 });
await new Promise((resolve) => server.listen(0, '127.0.0.1', resolve));
const browser = await chromium.launch({
  executablePath: process.env.CHROMIUM ?? '/usr/bin/chromium',
  args: ['--headless', '--no-sandbox', '--disable-gpu', '--disable-quic', '--no-first-run', '--disable-background-networking', '--disable-component-update', '--disable-sync'],
});
const base = `http://127.0.0.1:${server.address().port}/`;
const refusing = createMockServer({ scope: 'good', layers: ['good'] });
await new Promise((resolve) => refusing.server.listen(0, '127.0.0.1', resolve));
const working = createMockServer({ jobs: JOBS });
await new Promise((resolve) => working.server.listen(0, '127.0.0.1', resolve));
SCENES.jobs = async (page) => {
  await page.goto(`http://127.0.0.1:${working.server.address().port}/#good`);
  await page.locator('.jobs').waitFor();
  await page.locator('.values').waitFor();
};
SCENES['no-access'] = async (page) => {
  await page.goto(`http://127.0.0.1:${refusing.server.address().port}/#truth`);
  await page.getByText('is not within reach').waitFor();
};
for (const [name, scene] of Object.entries(SCENES)) {
  if (wanted.length > 0 && !wanted.includes(name)) continue;
  for (const [kind, width, height, colorScheme] of [['light', 1280, 860, 'light'], ['dark', 1280, 860, 'dark'], ['phone', 360, 740, 'light']]) {
    const context = await browser.newContext({ viewport: { width, height }, colorScheme, deviceScaleFactor: kind === 'phone' ? 2 : 1 });
    const page = await context.newPage();
    await scene(page, async (hash) => {
      await page.goto(`${base}#${hash}`);
      await page.locator('.panel:not([hidden]) .model').waitFor();
    });
    await page.evaluate(() => document.fonts.ready);
    await page.screenshot({ path: `${directory}/${name}-${kind}.png`, fullPage: true });
    await context.close();
  }
}
await browser.close();
server.close();
refusing.server.close();
working.server.close();
