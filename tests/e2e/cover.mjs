// Night cover in `touban demo`: Dr Sato asks for a weekend on the phone in one short form, a colleague takes slots from
// the mail's link, and the bar of each slot says how it stands.

import assert from 'node:assert/strict';
import { axe, desktop, elderly, finish, phone, shot, startTouban, test } from './harness.mjs';

let demo, page, small;
let number = 0;

async function look(page, name) {
  number += 1;
  await shot(page, `cover-${String(number).padStart(2, '0')}-${name}`);
  await axe(page);
  await elderly(page);
}

const said = (page, text) => page.locator('.notice', { hasText: text }).waitFor();

await test('as Dr Sato the newcomer finds night cover in the menu', async () => {
  demo = await startTouban({ args: ['demo', '--listen', '127.0.0.1:0'], readyMs: 60_000 });
  page = await phone();
  await page.goto(`${demo.baseUrl}/demo`);
  await page.getByRole('button', { name: /佐藤.*として始める/ }).click();
  await page.goto(`${demo.baseUrl}/covers`);
  await look(page, 'list');
  // One weekend is covered: every bar is green and names who comes. Another has a slot that nobody took yet.
  await page.locator('a.row', { hasText: '決まりました' }).click();
  const bars = await page.locator('li.slot-bar').count();
  assert.ok(bars >= 2, `${bars} slots`);
  assert.equal(await page.locator('li.slot-bar.tone-good').count(), bars);
  await look(page, 'covered');
  await page.goto(`${demo.baseUrl}/covers`);
  await page.locator('a.row', { hasText: 'お願いしています' }).click();
  assert.ok(await page.locator('li.slot-bar.tone-good').count() >= 1);
  assert.ok(await page.locator('li.slot-bar.tone-warn').count() >= 1);
  await look(page, 'partly');
  await page.goto(`${demo.baseUrl}/covers`);
  await page.getByRole('link', { name: '夜間代行を頼む' }).click();
  await look(page, 'ask');
}, { vital: true });

await test('hours that cannot be are refused in words, and nothing typed is lost', async () => {
  await page.locator('#note').fill('物品は玄関の棚');
  const first = await page.locator('#from_date').inputValue();
  await page.locator('#to_date').fill('2020-01-01');
  await page.getByRole('button', { name: 'お願いを送る' }).click();
  await page.getByText('おわりが、はじまりより前です').waitFor();
  assert.equal(await page.locator('#note').inputValue(), '物品は玄関の棚');
  assert.equal(await page.locator('#from_date').inputValue(), first);
  await look(page, 'refused');
  const monday = new Date(Date.parse(`${first}T00:00:00Z`) + 3 * 86_400_000).toISOString().slice(0, 10);
  await page.locator('#to_date').fill(monday);
}, { vital: true });

await test('one press asks for the weekend; each slot has its bar', async () => {
  await page.getByRole('button', { name: 'お願いを送る' }).click();
  await said(page, 'お願いを送りました');
  const bars = await page.locator('li.slot-bar').count();
  assert.ok(bars >= 3, `${bars} slots`);
  assert.equal(await page.locator('li.slot-bar.tone-good').count(), 0);
  await look(page, 'asked');
}, { vital: true });

await test('a colleague takes slots from the link of one mail, with the PIN', async () => {
  const desk = await desktop();
  await desk.goto(`${demo.baseUrl}/demo/mailbox`);
  const mail = desk.locator('a.row', { hasText: '夜間代行' });
  for (let wait = 0; wait < 40 && await mail.count() === 0; wait += 1) {
    await desk.waitForTimeout(250);
    await desk.reload();
  }
  await mail.first().click();
  const pin = (await desk.locator('.code.big').innerText()).trim();
  const popup = desk.waitForEvent('popup');
  await desk.getByRole('link', { name: 'スマートフォンの大きさで開く' }).click();
  small = await popup;
  await small.locator('#pin').waitFor();
  await look(small, 'offer');
  for (const tick of await small.locator('label.choice', { has: small.locator('input[name="slot"]') }).all()) {
    if (!await tick.locator('input').isChecked()) await tick.click();
  }
  await small.locator('#pin').fill(pin);
  await small.getByRole('button', { name: '引き受ける' }).click();
  await said(small, '引き受けました');
  assert.ok(await small.locator('li.slot-bar.tone-good').count() >= 1);
  await look(small, 'taken');
}, { vital: true });

await test('the sheet for the fax fits one page', async () => {
  await small.getByRole('link', { name: 'ファクスの用紙' }).click();
  await small.getByRole('heading', { name: '夜間代行のお知らせ' }).first().waitFor();
  await look(small, 'sheet');
  const pdf = await small.pdf({ preferCSSPageSize: true });
  const pages = pdf.toString('latin1').match(/\/Type\s*\/Page[^s]/g) ?? [];
  assert.equal(pages.length, 1, 'one A4 page');
});

await test('a night card is written on the phone, keeps what was typed when refused, and prints on one sheet', async () => {
  await page.goto(`${demo.baseUrl}/covers`);
  await page.getByRole('link', { name: '夜間カード' }).click();
  await look(page, 'cards');
  await page.getByRole('link', { name: /カードを書く/ }).first().click();
  // Wishes without the day on which they were confirmed are refused.
  await page.locator('#wishes').fill('家で過ごしたい');
  await page.locator('#wishes_on').fill('');
  await page.getByRole('button', { name: '保存する' }).click();
  await page.getByText('意思には、確認した日と人が必要です').first().waitFor();
  assert.equal(await page.locator('#wishes').inputValue(), '家で過ごしたい');
  await look(page, 'card-refused');
  await page.locator('#wishes_on').fill('2026-11-01');
  await page.locator('#wishes_by').fill('佐藤');
  await page.getByRole('button', { name: '保存する' }).click();
  await said(page, '夜間カードを保存しました');
  await page.getByRole('link', { name: /印刷する/ }).first().click();
  await page.getByText('家で過ごしたい').waitFor();
  await look(page, 'card-paper');
  const pdf = await page.pdf({ preferCSSPageSize: true });
  assert.equal((pdf.toString('latin1').match(/\/Type\s*\/Page[^s]/g) ?? []).length, 1, 'one A4 page');
});

await test('the blank sheet of a night card fits one page, with its number', async () => {
  await page.goto(`${demo.baseUrl}/cards`);
  await page.getByRole('link', { name: /夜間カードの記入用紙/ }).first().click();
  await page.getByText(/カード番号 [0-9A-Z]{6}-[0-9]{2}/).waitFor();
  await look(page, 'card-sheet');
  const pdf = await page.pdf({ preferCSSPageSize: true });
  assert.equal((pdf.toString('latin1').match(/\/Type\s*\/Page[^s]/g) ?? []).length, 1, 'one A4 page');
});

await test('the clinic adds a visit to its year, and takes the year out as a workbook', async () => {
  await page.goto(`${demo.baseUrl}/records`);
  await page.locator('#kind').selectOption('emergency_visit');
  await page.locator('#number').fill('３');
  await page.getByRole('button', { name: '書き足す' }).click();
  await said(page, '記録しました');
  await page.getByText('緊急の往診 3件').first().waitFor();
  await look(page, 'records');
  const [file] = await Promise.all([page.waitForEvent('download'), page.getByRole('link', { name: 'Excel（.xlsx）' }).click()]);
  assert.match(file.suggestedFilename(), /^clinic-year-\d{4}-\d{2}\.xlsx$/);
});

await finish();
