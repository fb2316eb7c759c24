// What a mail gateway may do to a mail before its reader sees it: open every link in every way, run the scripts, press
// every button of every form. It has no PIN and no cookie of anybody; so nothing it does may count as an answer.

import { randomBytes, randomInt } from 'node:crypto';
import { browser } from './harness.mjs';

const agent = 'Mozilla/5.0 (compatible; LinkGuard/7.1; mail gateway)';
const methods = ['GET', 'HEAD', 'OPTIONS'];

/** What the robot has done, for the report at the end. */
export const done = { requests: 0, pages: 0, forms: 0, pins: 0 };

/**
 * Lets the robot loose on one mail. `pins`: PINs it tries besides (never the right one); none on links that a person
 * still needs, because five wrong ones end a link by design. `watch` gets every page it opens.
 */
export async function scan(mail, { pins = [], watch = () => {} } = {}) {
  const context = await (await browser()).newContext({ userAgent: agent, locale: 'en-US', viewport: { width: 1024, height: 768 } });
  context.setDefaultTimeout(10_000);
  const page = await context.newPage();
  watch(page);
  count(page);
  // Gateways press through whatever a page asks.
  page.on('dialog', (dialog) => dialog.accept().catch(() => {}));
  try {
    for (const link of new Set(mail.links)) {
      for (const method of methods) await plain(link, method);
      await everyForm(page, link);
      for (const pin of pins) await tryPin(page, link, pin);
    }
  } finally {
    await context.close();
  }
}

/** As a scanner without a browser: the address as it stands, without it, and damaged as some gateways damage it. */
async function plain(link, method) {
  for (const address of [link, link.split('#')[0], link.replace('#', '%23')]) {
    // The damaged form carries the token into the path; that is the gateway's doing, and must not get it far.
    const response = await fetch(address, { method, redirect: 'manual', headers: { 'user-agent': agent } });
    await response.arrayBuffer();
    done.requests += 1;
  }
}

async function open(page, link) {
  await page.goto('about:blank');
  await page.goto(link);
  // The page's own script may send its form on.
  await settle(page);
  done.pages += 1;
}

// Requests under way; a form that was sent has no page yet that one could wait for.
let under = 0;

function count(page) {
  page.on('request', () => { under += 1; });
  for (const end of ['requestfinished', 'requestfailed']) page.on(end, () => { under -= 1; });
}

/** Waits until nothing has been under way for a moment. */
async function settle(page) {
  const deadline = performance.now() + 10_000;
  for (let quiet = 0; quiet < 3 && performance.now() < deadline;) {
    await new Promise((resolve) => setTimeout(resolve, 25));
    quiet = under > 0 ? 0 : quiet + 1;
  }
  await page.waitForLoadState('load');
}

/** Follows the links of the page and presses each button of each form, with the fields empty and with nonsense. */
async function everyForm(page, link) {
  await open(page, link);
  const origin = new URL(link).origin;
  const hrefs = await page.evaluate(() => [...document.querySelectorAll('a[href]')].map((a) => a.href));
  for (const href of new Set(hrefs.filter((h) => new URL(h).origin === origin))) await plain(href, 'GET');
  for (const nonsense of [false, true]) {
    for (let form = 0; ; form += 1) {
      await open(page, link);
      const forms = page.locator('form');
      if (form >= await forms.count()) break;
      const buttons = await forms.nth(form).locator('button:not([disabled]), input[type=submit]').count();
      // One more than there are buttons: the form sent without any.
      for (let button = 0; button <= buttons; button += 1) {
        if (button > 0) await open(page, link);
        await submit(page, form, button, nonsense);
      }
    }
  }
}

async function submit(page, form, button, nonsense, pin = '') {
  // Scanners obey no "required" and no maxlength.
  const sent = await page.evaluate(([form, button, word, number, pin]) => {
    const element = document.querySelectorAll('form')[form];
    if (!element) return false;
    element.noValidate = true;
    for (const field of element.querySelectorAll('input, textarea, select')) {
      if (field.name === 'pin') { field.value = pin; continue; }
      if (!word || field.type === 'hidden') continue;
      if (field.type === 'checkbox' || field.type === 'radio') field.checked = true;
      else if (field.tagName === 'SELECT') field.selectedIndex = field.options.length - 1;
      else if (field.type === 'email') field.value = `${word}@example.jp`;
      else if (field.type === 'number' || field.inputMode === 'numeric') field.value = number;
      else field.value = word;
    }
    const pressed = element.querySelectorAll('button:not([disabled]), input[type=submit]')[button];
    if (pressed) pressed.click();
    else element.submit();
    return true;
  }, [form, button, nonsense ? randomBytes(9).toString('hex') : '', String(randomInt(1_000_000)), pin]);
  if (sent) {
    done.forms += 1;
    await settle(page);
  }
}

/** Presses the first button of the form that asks for a PIN. */
async function tryPin(page, link, pin) {
  await open(page, link);
  const form = await page.evaluate(() => [...document.querySelectorAll('form')].findIndex((f) => f.querySelector('[name=pin]')));
  if (form < 0) return;
  done.pins += 1;
  await submit(page, form, 0, false, pin);
}
