// Every page in every state that has a sample, in both languages, at three widths: rules of accessibility, sizes for
// elderly readers. The samples are drawn by the library's tests (`cargo test --lib samples`) into target/samples.

import { createServer } from 'node:http';
import { existsSync, readdirSync, readFileSync, statSync } from 'node:fs';
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

// One page of the browser for each width; scripts stay off, because a sample has no server that could answer them.
const pages = new Map();
for (const width of widths) {
  const isPhone = width < 600;
  const context = await (await browser()).newContext({
    viewport: { width, height: isPhone ? 844 : 800 }, isMobile: isPhone, hasTouch: isPhone, locale: 'ja-JP', timezoneId: 'Asia/Tokyo',
  });
  await context.route('**/*.js', (route) => route.fulfill({ contentType: 'text/javascript', body: '' }));
  pages.set(width, await context.newPage());
}

for (const name of chosen) {
  await test(name.replace(/\.html$/, ''), async () => {
    // English has the same pages with longer words: they are measured where these have least room.
    const measured = [...pages].filter(([width]) => width === widths[0] || !name.endsWith('.en.html'));
    await Promise.all(measured.map(async ([width, page]) => {
      await page.goto(`${base}/${name}`);
      await axe(page);
      if (width === widths[0]) await elderly(page);
    }));
  }).catch(() => {});
}
server.close();
await finish();
