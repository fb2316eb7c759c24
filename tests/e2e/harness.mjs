// What a journey needs: a running touban, a browser with phones and desks, checks on a page, a test runner.
// Nothing in here knows a page of touban; the journeys do. The measuring itself is in measure.mjs, mail in mail.mjs.

import { spawn } from 'node:child_process';
import { existsSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { chromium } from 'playwright-core';
import { scriptless } from './measure.mjs';

export { axe, elderly, withinFirstScreen } from './measure.mjs';
export { readMail, waitForMail } from './mail.mjs';

const here = path.dirname(fileURLToPath(import.meta.url));
const repository = path.resolve(here, '../..');
export const shotsFolder = path.join(here, 'shots');

// ---------------------------------------------------------------------------------------------- tests

const started = new Set();      // running touban processes, ended whatever happens
const folders = new Set();      // temporary folders, removed whatever happens
const pages = new Set();        // open pages, photographed when a test fails
let problems = [];              // what the browsers complained about since the test began
let excused = [];               // patterns of complaints a test has announced
let passed = 0;
let failed = 0;

/**
 * One check with a name that is a sentence. It fails if `body` throws, or if a page meanwhile wrote an error to
 * its console, threw, or broke its content security policy. Tests run one after another; a failed one does not
 * stop the next, unless `{ vital: true }`: then the rest of the journey makes no sense and the run ends.
 */
export async function test(name, body, { vital = false, limitMs = 120_000 } = {}) {
  const begun = performance.now();
  problems = [];
  excused = [];
  let failure;
  let timer;
  // A page can swallow a question for ever; a run that hangs tells nobody where.
  const limit = new Promise((_, reject) => {
    timer = setTimeout(() => reject(new Error(`not done after ${limitMs} ms`)), limitMs);
  });
  try {
    await Promise.race([body(), limit]);
  } catch (error) {
    failure = error;
  }
  clearTimeout(timer);
  const complaints = problems.filter((p) => !excused.some((pattern) => pattern.test(p)));
  if (!failure && complaints.length) failure = new Error(`the browser complained:\n  ${complaints.join('\n  ')}`);
  const ms = Math.round(performance.now() - begun);
  if (!failure) {
    passed += 1;
    console.log(`ok      ${name} (${ms} ms)`);
    return;
  }
  failed += 1;
  console.log(`FAILED  ${name} (${ms} ms)`);
  console.log(indent(failure.stack ?? String(failure)));
  if (complaints.length && !failure.message.startsWith('the browser')) console.log(indent(complaints.join('\n')));
  await photographFailure(name);
  if (vital) {
    console.log('The rest of the journey needs this step; stopping here.');
    await finish();
  }
}

/** Announces complaints that belong to the current test, such as the 422 it provokes. */
export function expectComplaint(pattern) {
  excused.push(pattern);
}

/** Ends everything that was started, prints `N passed, N failed`, and exits with 1 if anything failed. */
export async function finish() {
  await running?.close();
  for (const touban of [...started]) await touban.stop().catch((error) => { failed += 1; console.log(indent(String(error))); });
  tidy();
  if (passed + failed === 0) { failed = 1; console.log('No test ran.'); }
  console.log(`${passed} passed, ${failed} failed`);
  process.exit(failed ? 1 : 0);
}

function indent(text) {
  // Without the colours that the browser's driver paints its messages in.
  return text.replace(/\x1b\[[0-9;]*m/g, '').split('\n').map((line) => `        ${line}`).join('\n');
}

function tidy() {
  for (const touban of started) touban.process.kill('SIGKILL');
  for (const folder of folders) rmSync(folder, { recursive: true, force: true });
  folders.clear();
}

process.on('exit', tidy);
for (const [signal, status] of [['SIGINT', 130], ['SIGTERM', 143], ['SIGHUP', 129]]) {
  process.on(signal, () => process.exit(status));
}
process.on('unhandledRejection', (error) => {
  console.log(indent(error?.stack ?? String(error)));
  failed += 1;
  finish();
});

/** A temporary folder that is gone when the run ends. */
export function temporaryFolder() {
  const folder = mkdtempSync(path.join(tmpdir(), 'touban-e2e-'));
  folders.add(folder);
  return folder;
}

/**
 * Waits until `probe` returns something true and returns it. `what` completes the sentence "waited … for".
 * It looks again at short intervals: mail and pages come from another process, which cannot wake us.
 */
export async function until(what, probe, { timeoutMs = 20_000, everyMs = 50 } = {}) {
  const deadline = performance.now() + timeoutMs;
  for (;;) {
    const found = await probe();
    if (found) return found;
    if (performance.now() > deadline) throw new Error(`waited ${timeoutMs} ms for ${what}`);
    await new Promise((resolve) => setTimeout(resolve, everyMs));
  }
}

// --------------------------------------------------------------------------------------------- touban

/** The program under test: TOUBAN_BIN, or the newest debug build. */
export function binary() {
  const found = [
    process.env.TOUBAN_BIN,
    path.join(process.env.CARGO_TARGET_DIR ?? path.join(repository, 'target'), 'debug/touban'),
  ].find((candidate) => candidate && existsSync(candidate));
  if (!found) throw new Error('no touban to start: run `cargo build`, or name the program in TOUBAN_BIN');
  return found;
}

/**
 * Starts touban and waits for its ready line.
 *
 * config: text of a TOML file, written to a folder of its own; a function gets that folder and returns the text.
 * args:   default `serve --config FILE` when there is a config, else `demo`; a function gets `{ folder, file }`.
 * env:    added to ours. TOUBAN__* of the calling shell are not passed on, so that a run means the same everywhere.
 *
 * Returns { baseUrl, ready, folder, process, log(), stop(), kill() }.
 * stop() asks politely (SIGTERM) and fails if touban needs more than `graceMs` or says it failed;
 * kill() is the power cut (SIGKILL). Start again with the same `folder` to see what survived.
 */
export async function startTouban({ config, args, env = {}, folder = temporaryFolder(), readyMs = 60_000, graceMs = 15_000 } = {}) {
  let file;
  if (config !== undefined) {
    file = path.join(folder, 'touban.toml');
    writeFileSync(file, typeof config === 'function' ? config(folder) : config, { mode: 0o600 });
  }
  const given = typeof args === 'function' ? args({ folder, file }) : args;
  const argv = given ?? (file ? ['serve', '--config', file] : ['demo']);
  const inherited = Object.fromEntries(Object.entries(process.env).filter(([key]) => !key.startsWith('TOUBAN__')));
  const child = spawn(binary(), argv, { cwd: folder, env: { ...inherited, ...env }, stdio: ['ignore', 'pipe', 'pipe'] });

  const lines = [];
  const keep = (line) => { lines.push(line); if (lines.length > 5_000) lines.shift(); };
  const gone = new Promise((resolve) => child.once('close', (code, signal) => resolve({ code, signal })));
  const touban = {
    process: child,
    folder,
    log: () => lines.join('\n'),
    async stop() {
      if (!started.delete(touban)) return;
      child.kill('SIGTERM');
      const timer = setTimeout(() => child.kill('SIGKILL'), graceMs);
      const { code, signal } = await gone;
      clearTimeout(timer);
      if (signal === 'SIGKILL') throw new Error(`touban did not stop within ${graceMs} ms\n${lines.slice(-40).join('\n')}`);
      if (code) throw new Error(`touban ended with status ${code}\n${lines.slice(-40).join('\n')}`);
    },
    async kill() {
      started.delete(touban);
      child.kill('SIGKILL');
      await gone;
    },
  };
  started.add(touban);

  const ready = new Promise((resolve, reject) => {
    const timer = setTimeout(() => reject(new Error(`touban was not ready after ${readyMs} ms\n${touban.log()}`)), readyMs);
    const read = (stream, line) => {
      keep(line);
      if (stream !== child.stdout || !line.startsWith('{')) return;
      try {
        const said = JSON.parse(line);
        if (said.event === 'ready') { clearTimeout(timer); resolve(said); }
      } catch { /* a line that only begins like JSON: kept in the log */ }
    };
    for (const stream of [child.stdout, child.stderr]) byLine(stream, (line) => read(stream, line));
    child.once('error', (error) => { clearTimeout(timer); started.delete(touban); reject(error); });
    gone.then(({ code, signal }) => {
      clearTimeout(timer);
      started.delete(touban);
      reject(new Error(`touban ended before it was ready (${signal ?? `status ${code}`})\n${touban.log()}`));
    });
  });
  try {
    touban.ready = await ready;
  } catch (error) {
    await touban.kill();
    throw error;
  }
  touban.baseUrl = touban.ready.base_url;
  return touban;
}

function byLine(stream, each) {
  let rest = '';
  stream.setEncoding('utf8');
  stream.on('data', (text) => {
    const parts = (rest + text).split('\n');
    rest = parts.pop();
    parts.forEach(each);
  });
  stream.on('end', () => { if (rest) each(rest); });
}

// -------------------------------------------------------------------------------------------- browser

let running;

/** The one browser of this run. Every context in it is a person of their own: cookies are not shared. */
export async function browser() {
  running ??= await chromium.launch({
    executablePath: process.env.TOUBAN_CHROME || process.env.CHROME || '/usr/bin/chromium',
    args: [
      // Root may not use the sandbox, and containers seldom allow it; the only pages opened are our own.
      '--no-sandbox', '--disable-gpu', '--disable-dev-shm-usage',
      // A fresh browser wants to call home; the machine may have no way out, and the tests need none.
      '--disable-quic', '--no-first-run', '--disable-background-networking', '--disable-component-update', '--disable-sync',
    ],
  });
  return running;
}

async function person(defaults, options = {}) {
  const all = { locale: 'ja-JP', timezoneId: 'Asia/Tokyo', ...defaults, ...options };
  const context = await (await browser()).newContext(all);
  context.setDefaultTimeout(10_000);
  context.on('page', watch);
  if (all.javaScriptEnabled === false) scriptless.set(context, all);
  return context.newPage();
}

/** A page on a telephone, 390 x 844. `options` are those of a browser context, e.g. `{ javaScriptEnabled: false }`. */
export const phone = (options) =>
  person({ viewport: { width: 390, height: 844 }, deviceScaleFactor: 2, isMobile: true, hasTouch: true }, options);

/** A page on the smallest telephone we promise to work on, 320 x 568. */
export const smallPhone = (options) =>
  person({ viewport: { width: 320, height: 568 }, deviceScaleFactor: 2, isMobile: true, hasTouch: true }, options);

/** A page on an office computer, 1280 x 800. */
export const desktop = (options) => person({ viewport: { width: 1280, height: 800 } }, options);

// What a person would never see, but a developer must: each of these fails the test it happens in.
function watch(page) {
  pages.add(page);
  page.on('close', () => pages.delete(page));
  page.on('pageerror', (error) => problems.push(`${where(page)}: uncaught ${error.message}`));
  page.on('crash', () => problems.push(`${where(page)}: the page crashed`));
  page.on('console', (message) => {
    // Violations of a policy that is only reported are warnings, and still violations.
    if (message.type() === 'error' || /content security policy/i.test(message.text())) {
      const at = message.location()?.url ?? '';
      problems.push(`${where(page)}: ${message.text()}${at && !message.text().includes(at) ? ` (${withoutSecrets(at)})` : ''}`);
    }
  });
  page.on('requestfailed', (request) => {
    const why = request.failure()?.errorText ?? '';
    // A navigation that was overtaken by the next one.
    if (why !== 'net::ERR_ABORTED') problems.push(`${where(page)}: ${withoutSecrets(request.url())} ${why}`);
  });
}

function where(page) {
  return withoutSecrets(page.url());
}

// Links in mail carry their token behind the #; logs of test runs are read by many.
function withoutSecrets(url) {
  return url.split('#')[0];
}

/** Photographs the whole page into tests/e2e/shots/NAME.png, for people to look at. */
export async function shot(page, name) {
  mkdirSync(shotsFolder, { recursive: true });
  const file = path.join(shotsFolder, `${name.replace(/[^\p{L}\p{N}_-]+/gu, '-')}.png`);
  await page.screenshot({ path: file, fullPage: true });
  return file;
}

async function photographFailure(name) {
  let number = 0;
  for (const page of pages) {
    number += 1;
    try {
      console.log(indent(`picture of ${where(page)}: ${await shot(page, `failed-${name}-${number}`)}`));
    } catch (error) {
      console.log(indent(`no picture of ${where(page)}: ${error.message.split('\n')[0]}`));
    }
  }
}
