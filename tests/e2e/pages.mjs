// Every page in every state that has a sample, in both languages, at three widths: rules of accessibility, sizes for
// elderly readers. The samples are drawn by the library's tests (`cargo test --lib samples`) into target/samples.

import { createServer } from 'node:http';
import { existsSync, readdirSync, readFileSync, statSync } from 'node:fs';
import { availableParallelism } from 'node:os';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { axe, browser, elderly, finish, test } from './harness.mjs';

const root = path.resolve(path.dirname(fileURLToPath(import.meta.url)), '../..');
const folder = path.join(process.env.CARGO_TARGET_DIR ?? path.join(root, 'target'), 'samples');
const types = { '.html': 'text/html; charset=utf-8', '.css': 'text/css', '.js': 'text/javascript', '.svg': 'image/svg+xml' };
// Both phones and the desk. What is measured at a phone's width must have the contrast of AAA.
const widths = [320, 390, 1280];
const names = existsSync(folder) ? readdirSync(folder).filter((name) => name.endsWith('.html')).sort() : [];
// TOUBAN_PAGES: only the samples whose names begin so, while working on a page.
const chosen = names.filter((name) => name.startsWith(process.env.TOUBAN_PAGES ?? ''));

const server = createServer((request, response) => {
  const file = path.join(folder, path.normalize(new URL(request.url, 'http://localhost').pathname));
  if (!file.startsWith(folder) || !existsSync(file) || !statSync(file).isFile()) {
    response.writeHead(404).end();
    return;
  }
  response.writeHead(200, { 'content-type': types[path.extname(file)] ?? 'application/octet-stream' }).end(readFileSync(file));
});
await new Promise((resolve) => server.listen(0, '127.0.0.1', resolve));
const base = `http://127.0.0.1:${server.address().port}`;

await test('there is a sample of every page', async () => {
  if (names.length < 100 || chosen.length === 0) throw new Error(`${chosen.length} samples in ${folder}: run cargo test --lib samples`);
}, { vital: true });

// A telephone that is turned from the narrower to the wider, and a desk; scripts stay off, because a sample has no server
// that could answer them. Several such pairs work through the samples at once.
async function pair() {
  const made = [];
  for (const isPhone of [true, false]) {
    const context = await (await browser()).newContext({
      viewport: { width: widths[0], height: 844 }, isMobile: isPhone, hasTouch: isPhone, locale: 'ja-JP', timezoneId: 'Asia/Tokyo',
    });
    await context.route('**/*.js', (route) => route.fulfill({ contentType: 'text/javascript', body: '' }));
    made.push({ page: await context.newPage(), widths: widths.filter((width) => (width < 600) === isPhone) });
  }
  return made;
}

async function measured(name, [phone, desk]) {
  // English has the same pages with longer words: they are measured where these have least room.
  const short = name.endsWith('.en.html');
  for (const { page, widths: mine } of short ? [phone] : [phone, desk]) {
    await page.setViewportSize({ width: mine[0], height: page === phone.page ? 844 : 800 });
    await page.goto(`${base}/${name}`);
    for (const width of short ? mine.slice(0, 1) : mine) {
      await page.setViewportSize({ width, height: page === phone.page ? 844 : 800 });
      // A bar that stays in place lies over what scrolls beneath it; unrolled, each thing stands where it can be scrolled to.
      const height = await page.evaluate(() => document.documentElement.scrollHeight);
      await page.setViewportSize({ width, height });
      await axe(page);
    }
    if (page === phone.page) await elderly(page);
  }
}

const lanes = Math.min(4, Math.max(2, availableParallelism()));
const results = new Map(chosen.map((name) => {
  const result = {};
  result.promise = new Promise((resolve, reject) => Object.assign(result, { resolve, reject }));
  return [name, result];
}));
// A finding is told in its own test; until that one's turn comes it is nobody's unhandled rejection.
for (const { promise } of results.values()) promise.catch(() => {});
const queue = [...chosen];
for (let lane = 0; lane < lanes; lane += 1) {
  (async () => {
    const tabs = await pair();
    for (let name = queue.shift(); name; name = queue.shift()) {
      await measured(name, tabs).then(results.get(name).resolve, results.get(name).reject);
    }
  })().catch((error) => results.forEach(({ reject }) => reject(error)));
}
for (const [name, { promise }] of results) await test(name.replace(/\.html$/, ''), () => promise);
server.close();
await finish();
