// A month of the exercise is closed by two people: a consult is asked, taken, answered and closed; the month goes by;
// the clerk looks, makes, and may not approve; the officer approves; it is printed on A4 and taken out; a mistake is
// taken back in the next month, and what cannot be done says why.

import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { axe, desktop, elderly, finish, shot, startTouban, test } from './harness.mjs';

let demo, page, month, total, hash;
let number = 0;

/** The page at the widths of a desk and two phones: measured, and kept as pictures. */
async function look(name) {
  number += 1;
  const before = page.viewportSize();
  for (const width of [1280, 390, 320]) {
    await page.setViewportSize({ width, height: 844 });
    await shot(page, `ledger-${String(number).padStart(2, '0')}-${name}-${width}`);
    await axe(page);
    await elderly(page);
  }
  await page.setViewportSize(before);
}

const said = (text) => page.locator('.notice', { hasText: text }).waitFor();
const card = (text) => page.locator('label.choice', { hasText: text }).first().click();
const open = (path) => page.goto(`${demo.baseUrl}${path}`);
const desk = () => open(`/ledger?month=${month}`);

/** Becomes somebody of the exercise. */
async function be(key) {
  await open('/demo');
  await page.locator(`form[action="/demo/as"] button[value="${key}"]`).last().click();
}

/** Nights go by until the month after `of` has begun. */
async function monthGoesBy(of) {
  const [year, n] = of.split('-').map(Number);
  const days = new Date(Date.UTC(year, n, 0)).getUTCDate();
  for (let day = 0; day <= days; day += 1) {
    await open('/demo');
    await page.getByRole('button', { name: '翌朝にする' }).click();
  }
}

/** How many A4 pages it prints to. */
async function printed(name) {
  const pdf = await page.pdf({ preferCSSPageSize: true, printBackground: true });
  const boxes = [...pdf.toString('latin1').matchAll(/\/MediaBox\s*\[\s*0\s+0\s+([\d.]+)\s+([\d.]+)\s*\]/g)];
  assert.ok(boxes.length > 0, `${name}: the printed page has a size`);
  for (const [, width, height] of boxes) {
    const sides = [Number(width), Number(height)].sort((a, b) => a - b);
    assert.ok(Math.abs(sides[0] - 595) < 2 && Math.abs(sides[1] - 842) < 2, `${name}: A4, not ${sides}`);
  }
  return (pdf.toString('latin1').match(/\/Type\s*\/Page\b(?!s)/g) ?? []).length;
}

await test('a consult of this month is asked, taken, answered and closed', async () => {
  demo = await startTouban({ args: ['demo', '--listen', '127.0.0.1:0'], readyMs: 30_000 });
  page = await desktop();
  await be('sato');
  await open('/consults/new');
  await card('皮膚科');
  await card('助言がほしい');
  await card('3日以内');
  await page.getByLabel('年代').selectOption({ label: '80代' });
  await page.getByLabel('お住まいの地区').selectOption({ label: '青葉北' });
  await card('女性');
  await page.getByLabel('状態').selectOption({ label: '褥瘡・創傷' });
  await card('通院できない');
  await page.getByLabel('相談の内容').fill('仙骨部の褥瘡の中央が黒くなりました。切除すべきでしょうか。');
  await page.getByRole('button', { name: 'この内容で相談を頼む' }).click();
  await said('相談を送りました');
  const mail = page.locator('a.row', { hasText: '相談のお願い' });
  await open('/demo/mailbox');
  for (let wait = 0; wait < 40 && await mail.count() === 0; wait += 1) {
    await page.waitForTimeout(250);
    await page.reload();
  }
  await mail.first().click();
  const pin = (await page.locator('.code.big').innerText()).trim();
  const popup = page.waitForEvent('popup');
  await page.getByRole('link', { name: 'スマートフォンの大きさで開く' }).click();
  const handset = await popup;
  await handset.locator('#pin').fill(pin);
  await handset.getByRole('button', { name: /引き受ける.*助言のみ/ }).click();
  await handset.getByLabel('見立て').fill('乾いた壊死で、感染の徴候はありません。');
  await handset.getByLabel('今すること').fill('切除は急がず、軟膏で柔らかくします。');
  await handset.getByRole('button', { name: 'お答えを送る' }).click();
  await handset.locator('.notice', { hasText: 'お答えを送りました' }).waitFor();
  await handset.close();
  await be('sato');
  await open('/consults');
  await page.locator('a.row', { hasText: '四つの質問に答えて閉じてください' }).first().click();
  const answer = (group, text) => page.getByRole('group', { name: group }).locator('label.choice', { hasText: text }).first().click();
  await answer('病院への紹介や搬送を避けられましたか', '避けられた');
  await answer('新たに紹介や往診が必要になりましたか', 'いいえ');
  await answer('役に立ちましたか', 'とても役に立った');
  await answer('期限までに答えが来ましたか', 'はい');
  await page.getByRole('button', { name: '答えて相談を閉じる' }).click();
  await said('相談を閉じました');
}, { vital: true });

await test('while the month runs it cannot be made', async () => {
  await be('yamada');
  await open('/ledger');
  const link = await page.locator('section[aria-labelledby="papers"] a').first().getAttribute('href');
  month = new URL(link, demo.baseUrl).searchParams.get('month');
  assert.match(month, /^\d{4}-\d{2}$/);
  assert.equal(await page.getByRole('button', { name: 'この月を作成する' }).count(), 0);
  await look('running');
}, { vital: true });

await test('when it is over the clerk prepares it, reads a statement before it is closed, and makes it', async () => {
  await monthGoesBy(month);
  await be('yamada');
  await desk();
  total = (await page.locator('dl.totals dd').first().innerText()).trim();
  assert.match(total, /^[1-9][\d,]*円$/);
  await look('prepared');
  await page.locator('section[aria-labelledby="parties"] a').first().click();
  await page.getByText('下書き').first().waitFor();
  await look('statement-draft');
  await desk();
  await page.getByRole('button', { name: 'この月を作成する' }).click();
  await said('作成しました');
  assert.equal(await page.getByRole('button', { name: '承認して締める' }).count(), 0, 'who made it does not approve it');
  assert.equal(await page.locator('section[aria-labelledby="export"]').count(), 0, 'an open month is not taken out');
}, { vital: true, limitMs: 300_000 });

await test('the officer approves it, and it is sealed', async () => {
  await be('inoue');
  await desk();
  await look('to-approve');
  await page.getByRole('button', { name: '承認して締める' }).click();
  await said('締めました');
  assert.equal((await page.locator('dl.totals dd').first().innerText()).trim(), total);
  hash = (await page.locator('.seal').last().innerText()).match(/[0-9a-f]{64}/)[0];
  assert.equal(await page.getByRole('button', { name: /作成する|承認して/ }).count(), 0);
  await look('closed');
}, { vital: true });

await test('statements and tables fit A4 and carry the seal', async () => {
  await be('yamada');
  await desk();
  const papers = await page.locator('section[aria-labelledby="papers"] a').evaluateAll((all) => all.map((a) => a.getAttribute('href')));
  assert.ok(papers.length >= 14, 'every table and the letters of claim');
  const statement = await page.locator('section[aria-labelledby="parties"] a').first().getAttribute('href');
  for (const [n, path] of [statement, ...papers].entries()) {
    await open(path);
    assert.ok((await page.locator('.seal').last().innerText()).includes(hash), path);
    // Letters stand one after the other, each with its own boxes.
    const boxes = await page.locator('.stamps > div').count();
    assert.ok(boxes > 0 && boxes % 3 === 0, `${path}: ${boxes} boxes for seals`);
    await look(`paper-${n}`);
    // As wide as the paper between its margins: statements stand upright, tables lie on their side.
    const before = page.viewportSize();
    await page.setViewportSize({ width: path.includes('/paper') ? 1032 : 688, height: 844 });
    await page.emulateMedia({ media: 'print' });
    const wide = await page.evaluate(() => document.documentElement.scrollWidth - document.documentElement.clientWidth);
    assert.ok(wide <= 0, `${path} is ${wide} px too wide in print`);
    await page.emulateMedia({ media: null });
    await page.setViewportSize(before);
    const sheets = await printed(path);
    assert.ok(sheets >= 1, path);
    if (/table=(institutions|claims|year)/.test(path)) assert.equal(sheets, 1, `${path} stands on one page`);
  }
}, { vital: true });

await test('the closed month is taken out and adds up to the same yen', async () => {
  await desk();
  const section = page.locator('section[aria-labelledby="export"]');
  await section.locator('label.choice', { hasText: '実績明細' }).first().click();
  await section.locator('label.choice', { hasText: /UTF-8/ }).first().click();
  const download = page.waitForEvent('download');
  await section.getByRole('button').click();
  const text = readFileSync(await (await download).path(), 'utf8');
  assert.ok(text.startsWith('\ufeff'), 'Excel knows it by its mark');
  const [head, ...rows] = text.slice(1).trimEnd().split('\r\n').map((row) => row.split(','));
  const at = head.indexOf('金額');
  const sum = rows.reduce((all, row) => all + Number(row[at]), 0);
  assert.equal(sum, Number(total.replace(/[,円]/g, '')));
});

await test('a closed line is corrected in the next month, and what cannot be corrected says why', async () => {
  await desk();
  const row = page.locator('table.ledger tbody tr', { hasText: '受諾側' }).filter({ has: page.locator('a', { hasText: '訂正' }) }).first();
  await row.getByRole('link', { name: '訂正' }).click();
  await look('correct');
  await page.getByLabel('訂正後の額（円）').fill('999999');
  await page.getByLabel('理由・メモ').fill('単価の誤り');
  await page.getByRole('button', { name: '訂正を出す' }).click();
  await page.locator('[role="alert"]', { hasText: '元の額より小さく' }).waitFor();
  await page.getByLabel('訂正後の額（円）').fill('100');
  await page.getByRole('button', { name: '訂正を出す' }).click();
  await said('訂正を受け付けました');
  const next = new Date(`${month}-15T00:00:00Z`);
  next.setUTCMonth(next.getUTCMonth() + 1);
  const closed = month;
  month = next.toISOString().slice(0, 7);
  await monthGoesBy(month);
  await be('yamada');
  await desk();
  await page.getByText('取消', { exact: true }).first().waitFor();
  await page.getByRole('button', { name: 'この月を作成する' }).click();
  await said('作成しました');
  await be('inoue');
  await desk();
  await page.getByRole('button', { name: '承認して締める' }).click();
  await said('締めました');
  await be('yamada');
  await desk();
  const reversal = page.locator('table.ledger tbody tr', { hasText: '取消' }).first();
  assert.match(await reversal.innerText(), /-[\d,]+円/);
  assert.equal(await reversal.getByRole('link', { name: '訂正' }).count(), 0, 'a reversal is not reversed');
  await look('corrected');
  // The month before is as it was printed.
  await open(`/ledger?month=${closed}`);
  assert.equal((await page.locator('dl.totals dd').first().innerText()).trim(), total);
}, { limitMs: 300_000 });

await test('the fiscal year shows its months and budgets, and wrong tariffs name their line', async () => {
  await open('/ledger/year');
  await look('year');
  await open('/ledger/tariffs');
  await page.getByLabel('補助基準（TOML）').fill('[[tariff]]\ncode = "X"\n');
  await page.getByRole('button', { name: '先月ならいくらか試す' }).click();
  await page.locator('[role="alert"]', { hasText: 'line 1' }).waitFor();
  await look('tariffs-wrong');
});

await finish();
