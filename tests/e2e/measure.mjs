// Measures a page: accessibility rules, sizes for elderly readers, what stands in the first screen.

import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';

const axeSource = readFileSync(createRequire(import.meta.url).resolve('axe-core/axe.min.js'), 'utf8');

// Wide enough to be an office screen; below, a page has to stand being read at night.
const desktopFrom = 600;
const widths = [320, 390, 1280];
const smallestTextPx = 16;
const smallestTargetPx = 44;
// Layout works in 1/64 px, and a border may round down.
const tolerancePx = 0.1;

/** Contexts in which pages run no scripts, with the options they were made with; the harness registers them. */
export const scriptless = new WeakMap();

/**
 * Calls `body` with a page that can run axe. Where scripts are off axe is as dead as the page's own: its timers never
 * fire. There it gets a copy of the page as it stands, with the same styles, cookies and size, without its scripts.
 */
async function withScripts(page, body) {
  const options = scriptless.get(page.context());
  if (!options) return body(page);
  const context = await page.context().browser().newContext({
    ...options, javaScriptEnabled: true, viewport: page.viewportSize(), storageState: await page.context().storageState(),
  });
  try {
    const copy = await context.newPage();
    // What stands in noscript is shown to this reader.
    const html = (await page.content()).replace(/<script[^]*?<\/script>/gi, '').replace(/<(\/?)noscript\b/gi, '<$1div');
    const address = page.url().split('#')[0];
    await context.route((url) => url.href.split('#')[0] === address, (route) => (route.request().isNavigationRequest()
      ? route.fulfill({ contentType: 'text/html; charset=utf-8', body: html })
      : route.continue()));
    await copy.goto(address);
    return await body(copy);
  } finally {
    await context.close();
  }
}

/**
 * Fails on any violation of WCAG 2.2 A and AA, and of axe's best practices (one h1, landmarks).
 * Pages on phones must also have the contrast of AAA (7:1): `{ aaa }` overrides that guess by the width.
 * `without` names rules that do not apply to this page; say why where you use it.
 */
export async function axe(page, { aaa = page.viewportSize().width < desktopFrom, bestPractice = true, without = [] } = {}) {
  const tags = ['wcag2a', 'wcag2aa', 'wcag21a', 'wcag21aa', 'wcag22aa'];
  if (bestPractice) tags.push('best-practice');
  const rules = Object.fromEntries(without.map((rule) => [rule, { enabled: false }]));
  if (aaa) rules['color-contrast-enhanced'] = { enabled: true };
  // evaluate goes over the debugger: it needs neither a hole in the policy of the page nor its scripts.
  const { violations, passes } = await withScripts(page, async (readable) => {
    // Still there when the same page is measured at another width.
    if (!await readable.evaluate(() => 'axe' in globalThis)) await readable.evaluate(axeSource);
    return readable.evaluate(
      // Of what passes one node a rule is enough to know that there was something to check; naming all takes most of the time.
      ([runOnly, rules]) => globalThis.axe.run(document, { runOnly, rules, resultTypes: ['violations'] }),
      [{ type: 'tag', values: tags }, rules],
    );
  });
  if (passes.length === 0) throw new Error('axe found nothing to check: the page is empty');
  if (violations.length) {
    throw new Error(violations.map((v) =>
      `axe ${v.id} (${v.impact}): ${v.help}\n` +
      v.nodes.slice(0, 5).map((n) => `    ${n.target.join(' ')}: ${n.html.slice(0, 160)}\n      ${n.failureSummary.replace(/\n\s*/g, ' ')}`).join('\n') +
      (v.nodes.length > 5 ? `\n    and ${v.nodes.length - 5} more` : ''),
    ).join('\n'));
  }
}

/**
 * Fails where an elderly reader would: text below 16 px, targets below 44 x 44 px outside running text, targets
 * on top of each other, or a page that must be pushed sideways; at 320, 390 and 1280 px width.
 */
export async function elderly(page) {
  const before = page.viewportSize();
  const findings = [];
  try {
    for (const width of widths) {
      await page.setViewportSize({ width, height: before.height });
      const limits = { width, smallestTextPx, smallestTargetPx, tolerancePx };
      for (const finding of await page.evaluate(measure, limits)) {
        findings.push(`at ${width} px: ${finding}`);
      }
    }
  } finally {
    await page.setViewportSize(before);
  }
  if (findings.length) throw new Error(`hard to use for elderly readers:\n  ${findings.join('\n  ')}`);
}

/** Fails unless the element is wholly in the first screen, without scrolling: both answers of an offer must be. */
export async function withinFirstScreen(locator) {
  const page = locator.page();
  await page.evaluate(() => window.scrollTo(0, 0));
  const box = await locator.boundingBox();
  const { width, height } = page.viewportSize();
  if (!box) throw new Error(`${locator} is not shown`);
  if (box.x < 0 || box.y < 0 || box.x + box.width > width + tolerancePx || box.y + box.height > height + tolerancePx) {
    throw new Error(`${locator} is not within the first ${width} x ${height} px: ${JSON.stringify(box)}`);
  }
}

// Runs in the page.
function measure({ width, smallestTextPx, smallestTargetPx, tolerancePx }) {
  const findings = [];
  const name = (element) => {
    const words = (element.innerText || element.getAttribute('aria-label') || element.name || '').trim().replace(/\s+/g, ' ');
    return `<${element.tagName.toLowerCase()}${element.id ? `#${element.id}` : ''}> ${words.slice(0, 40)}`;
  };
  // Shown to the eye. Texts for screen readers are clipped to a pixel or pushed out of the page until focused.
  const shown = (element, rect) => {
    if (!element.checkVisibility({ checkOpacity: true, checkVisibilityCSS: true })) return false;
    if (rect.width <= 1 || rect.height <= 1) return false;
    if (rect.right <= 0 || rect.bottom + scrollY <= 0) return false;
    for (let e = element; e; e = e.parentElement) {
      const style = getComputedStyle(e);
      const box = e.getBoundingClientRect();
      if (style.overflow !== 'visible' && (box.width <= 1 || box.height <= 1)) return false;
      if (/inset\(50%\)|rect\(0px, 0px, 0px, 0px\)|rect\(1px, 1px, 1px, 1px\)/.test(style.clipPath + style.clip)) return false;
    }
    return true;
  };

  // With touch emulation innerWidth grows with what overflows, so compare with the width that was asked for.
  const across = Math.max(document.documentElement.scrollWidth, document.body.scrollWidth);
  if (across > width) {
    const widest = [...document.body.querySelectorAll('*')]
      .filter((e) => e.getBoundingClientRect().right > width + 1)
      .slice(-3).map(name).join('; ');
    findings.push(`the page is ${across} px wide and scrolls sideways (${widest})`);
  }

  const small = new Map();
  const walker = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
  for (let node = walker.nextNode(); node; node = walker.nextNode()) {
    const element = node.parentElement;
    // Furigana is half the size of what it explains, by nature.
    if (!node.data.trim() || element.closest('script, style, noscript, template, rt, option')) continue;
    const range = document.createRange();
    range.selectNodeContents(node);
    const size = parseFloat(getComputedStyle(element).fontSize);
    if (size < smallestTextPx - tolerancePx && shown(element, range.getBoundingClientRect())) {
      small.set(`text of ${size} px: ${name(element)}`, true);
    }
  }
  // What is typed into a field is text, too, and browsers make it 13 px.
  for (const field of document.querySelectorAll('input:not([type=hidden], [type=radio], [type=checkbox], [type=range]), select, textarea')) {
    const size = parseFloat(getComputedStyle(field).fontSize);
    if (size < smallestTextPx - tolerancePx && shown(field, field.getBoundingClientRect())) {
      small.set(`text of ${size} px in the field ${name(field)}`, true);
    }
  }
  findings.push(...small.keys());

  const union = (a, b) => {
    const left = Math.min(a.left, b.left), top = Math.min(a.top, b.top);
    const right = Math.max(a.right, b.right), bottom = Math.max(a.bottom, b.bottom);
    return new DOMRect(left, top, right - left, bottom - top);
  };
  // A link amid words of a sentence is as high as the sentence; WCAG 2.5.8 makes the same exception.
  const inRunningText = (element) =>
    element.tagName === 'A' && getComputedStyle(element).display === 'inline' &&
    [...element.parentElement.childNodes].some((n) => n.nodeType === Node.TEXT_NODE && /[\p{L}\p{N}]/u.test(n.data));
  const selector = 'a[href], button, input:not([type=hidden]), select, textarea, summary, [role=button], [role=link], [role=tab], [onclick], [tabindex="0"]';
  const targets = [];
  for (const element of document.querySelectorAll(selector)) {
    let rect = element.getBoundingClientRect();
    const choice = element.matches('input[type=checkbox], input[type=radio]');
    // A box is small, but its label can be touched as well.
    if (choice) for (const label of element.labels) rect = union(rect, label.getBoundingClientRect());
    if (!(choice ? [element, ...element.labels].some((e) => shown(e, e.getBoundingClientRect())) : shown(element, rect))) continue;
    if (inRunningText(element)) continue;
    if (rect.width < smallestTargetPx - tolerancePx || rect.height < smallestTargetPx - tolerancePx) {
      findings.push(`target of ${Math.round(rect.width)} x ${Math.round(rect.height)} px: ${name(element)}`);
    }
    targets.push({ element, rect });
  }
  for (const [i, a] of targets.entries()) {
    for (const b of targets.slice(i + 1)) {
      if (a.element.contains(b.element) || b.element.contains(a.element)) continue;
      // A bar that stays in place lies over what scrolls beneath it.
      if ([a, b].some(({ element }) => {
        for (let e = element; e; e = e.parentElement) if (/fixed|sticky/.test(getComputedStyle(e).position)) return true;
        return false;
      })) continue;
      const x = Math.min(a.rect.right, b.rect.right) - Math.max(a.rect.left, b.rect.left);
      const y = Math.min(a.rect.bottom, b.rect.bottom) - Math.max(a.rect.top, b.rect.top);
      if (x > 1 && y > 1) findings.push(`targets on top of each other: ${name(a.element)} and ${name(b.element)}`);
    }
  }
  return findings;
}
