/* Tries a page of `trine atlas --report` in Chromium: node microscope_page.mjs PAGE.html [DIRECTORY FOR PICTURES] */
import assert from 'node:assert/strict';
import { createRequire } from 'node:module';
import { resolve } from 'node:path';

const { chromium } = createRequire(new URL('../../studio/package.json', import.meta.url))('playwright-core');
const [file, shots] = process.argv.slice(2);
const address = `file://${resolve(file)}`;
const browser = await chromium.launch({
  executablePath: process.env.CHROMIUM ?? '/usr/bin/chromium',
  args: ['--headless', '--no-sandbox', '--disable-gpu', '--disable-quic', '--no-first-run', '--disable-background-networking', '--disable-component-update', '--disable-sync'],
});

/* A page with all that it must not do written down. */
async function open(options, name) {
  const context = await browser.newContext({ viewport: { width: 1200, height: 860 }, ...options });
  const page = await context.newPage();
  const faults = [];
  page.on('console', (message) => faults.push(`${message.type()}: ${message.text()}`));
  page.on('pageerror', (error) => faults.push(error.message));
  page.on('dialog', (dialog) => {
    faults.push(`dialog: ${dialog.message()}`);
    void dialog.dismiss();
  });
  page.on('request', (request) => {
    if (request.url() !== address) faults.push(`request: ${request.url()}`);
  });
  await page.goto(address);
  if (shots) await page.screenshot({ path: `${shots}/${name}.png`, fullPage: true });
  return { page, done: async () => {
    assert.deepEqual(faults, [], name);
    await context.close();
  } };
}
const spotPlace = (page, index = 0) => page.$eval(`#spot-${index}`, (spot) => spot.getAttribute('transform'));
const spotColour = (page) => page.$eval('#spot-0 .dot', (dot) => getComputedStyle(dot).fill);
const width = (page) => page.evaluate(() => [document.documentElement.scrollWidth, window.innerWidth]);

/* The map by keys alone. */
{
  const { page, done } = await open({}, 'light');
  await page.focus('#sheet');
  const first = await spotPlace(page);
  await page.keyboard.press('+');
  const near = await spotPlace(page);
  assert.notEqual(near, first, 'zoomed');
  await page.keyboard.press('Shift+ArrowLeft');
  assert.notEqual(await spotPlace(page), near, 'moved');
  await page.keyboard.press('0');
  assert.equal(await spotPlace(page), first, 'all is shown again');
  await page.keyboard.press('ArrowRight');
  assert.equal(await page.$eval('#card h3', (title) => title.textContent), 'Author Ann', 'an arrow chooses somebody');
  assert.equal(await page.$eval('#sheet', (sheet) => sheet.getAttribute('aria-activedescendant')), 'spot-0');
  const other = await spotPlace(page, 1);
  await page.getByRole('button', { name: 'Zoom in' }).press('Enter');
  assert.equal(await spotPlace(page), first, 'who is chosen stays');
  assert.notEqual(await spotPlace(page, 1), other, 'the button zooms');
  await done();
}

/* Pointer: hovering shows, dragging moves, a click chooses. */
{
  const { page, done } = await open({}, 'pointer');
  await page.hover('#spot-1 .dot');
  assert.equal(await page.$eval('#card h3', (title) => title.textContent), 'Author Bob');
  await page.click('#spot-2 .dot');
  await page.hover('h1');
  assert.equal(await page.$eval('#card h3', (title) => title.textContent), 'Author Cyd');
  assert.ok((await page.$$('#card li')).length === 2, 'its nearest are named');
  const before = await spotPlace(page), box = await (await page.$('.frame')).boundingBox();
  await page.mouse.move(box.x + 30, box.y + 30);
  await page.mouse.down();
  await page.mouse.move(box.x + 80, box.y + 60, { steps: 4 });
  await page.mouse.up();
  assert.notEqual(await spotPlace(page), before, 'dragged');
  await done();
}

/* Finding. */
{
  const { page, done } = await open({}, 'found');
  const isFaded = (index) => page.$eval(`#spot-${index}`, (spot) => spot.classList.contains('faded'));
  await page.fill('#find', 'BOB');
  assert.deepEqual([await isFaded(0), await isFaded(1), await isFaded(2)], [true, false, true]);
  assert.equal(await page.textContent('#found'), '1 of 3');
  assert.equal(await page.$$eval('#authors tbody tr', (rows) => rows.filter((row) => !row.hidden).length), 1);
  assert.equal(await page.$eval('#card h3', (title) => title.textContent), 'Author Bob', 'the only one is chosen');
  await page.fill('#find', '');
  assert.equal(await isFaded(0), false);
  await done();
}

/* Colours: by the date, by the style, by nothing. */
{
  const { page, done } = await open({}, 'colours');
  const seen = [await spotColour(page)];
  for (const label of ['style', 'nothing']) {
    await page.selectOption('#colour', { label });
    seen.push(await spotColour(page));
  }
  assert.equal(new Set(seen).size, 3, `three ways to colour, three colours: ${seen}`);
  assert.equal(await page.isVisible('[data-legend="0"]'), false);
  assert.equal((await page.textContent('[data-legend="1"]')).includes('<img src=x onerror=alert('), true, 'markup stays text');
  assert.equal(await page.$('img'), null);
  assert.equal((await page.$$('script')).length, 1);
  /* The policy holds: what comes in later cannot ask for anything. (Refused, it says so on the console, which is no fault.) */
  await done();
  const tried = await browser.newPage();
  await tried.goto(address);
  const refused = await tried.evaluate(() => new Promise((answer) => {
    addEventListener('securitypolicyviolation', (event) => answer(event.effectiveDirective));
    const image = document.createElement('img');
    image.src = 'data:image/gif;base64,R0lGODlhAQABAAAAACw=';
    document.body.append(image);
  }));
  assert.equal(refused, 'img-src');
  await tried.close();
}

/* Narrow, dark, without the script, on paper. */
{
  const { page, done } = await open({ viewport: { width: 360, height: 740 }, deviceScaleFactor: 2 }, 'phone');
  const [content, window] = await width(page);
  assert.ok(content <= window, `${content} pixels wide on ${window}`);
  await page.$$eval('details', (all) => all.forEach((details) => (details.open = true)));
  const [opened] = await width(page);
  assert.ok(opened <= window, `with its tables open ${opened} pixels wide`);
  await done();
}
{
  const { page: light, done: lightDone } = await open({ colorScheme: 'light' }, 'light-again');
  const { page: dark, done: darkDone } = await open({ colorScheme: 'dark' }, 'dark');
  const paper = (page) => page.evaluate(() => getComputedStyle(document.body).backgroundColor);
  assert.notEqual(await paper(light), await paper(dark));
  await light.emulateMedia({ media: 'print' });
  assert.equal(await light.isVisible('#find'), false, 'there are no fields on paper');
  await lightDone();
  await darkDone();
}
{
  const { page, done } = await open({ javaScriptEnabled: false }, 'no-script');
  assert.equal(await page.isVisible('#find'), false, 'what needs the script is not there without it');
  assert.equal(await page.isVisible('#spot-0'), true);
  assert.ok((await page.$$('.names text')).length > 0, 'the map has its names');
  await done();
}
await browser.close();
