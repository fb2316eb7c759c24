// A patient handed over in `touban demo`: Dr Sato asks for a patient of his own, clinics are asked by mail, one takes the
// patient over only with the tick, tells the day, and the letter fits one page. A message to a colleague's contact hours.

import assert from 'node:assert/strict';
import { axe, desktop, elderly, finish, phone, shot, startTouban, test } from './harness.mjs';

let demo, page, small;
let number = 0;

async function look(page, name) {
  number += 1;
  await shot(page, `transfer-${String(number).padStart(2, '0')}-${name}`);
  await axe(page);
  await elderly(page);
}

const said = (page, text) => page.locator('.notice', { hasText: text }).waitFor();

await test('what cannot be asked is refused in words, and nothing typed is lost', async () => {
  demo = await startTouban({ args: ['demo', '--listen', '127.0.0.1:0'], readyMs: 60_000 });
  page = await phone();
  await page.goto(`${demo.baseUrl}/demo`);
  await page.getByRole('button', { name: /佐藤.*として始める/ }).click();
  await page.goto(`${demo.baseUrl}/transfers`);
  await look(page, 'empty');
  await page.getByRole('link', { name: '引継ぎをお願いする' }).click();
  await page.locator('#patient').fill('A.K.');
  await look(page, 'ask');
  await page.getByRole('button', { name: '主治医に伝える' }).click();
  await page.getByText('理由を選んでください').waitFor();
  assert.equal(await page.locator('#patient').inputValue(), 'A.K.');
  await look(page, 'refused');
}, { vital: true });

await test('asking for an own patient is his word: clinics are asked at once', async () => {
  await page.locator('label.choice', { hasText: '24時間の対応が必要' }).click();
  await page.getByRole('button', { name: '主治医に伝える' }).click();
  await page.getByText('引き受ける医療機関を探しています').waitFor();
  await look(page, 'asked');
}, { vital: true });

await test('a clinic takes the patient over only after speaking to the attending doctor', async () => {
  const desk = await desktop();
  await desk.goto(`${demo.baseUrl}/demo/mailbox`);
  const mail = desk.locator('a.row', { hasText: '患者さんの引き受けのお願い' });
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
  assert.equal(await small.getByText('A.K.').count(), 0, 'nothing of the patient before the yes');
  await look(small, 'offer');
  await small.locator('#pin').fill(pin);
  await small.getByRole('button', { name: '引き受ける', exact: true }).click();
  await small.getByText('主治医へ連絡したことと').waitFor();
  await look(small, 'not-informed');
  await small.getByText('主治医へ連絡した', { exact: true }).click();
  await small.locator('#pin').fill(pin);
  await small.getByRole('button', { name: '引き受ける', exact: true }).click();
  await said(small, 'お引き受けありがとうございます');
  await small.getByText('A.K.').waitFor();
  await look(small, 'taken');
  await small.locator('#effective').fill(new Date(Date.now() + 7 * 86_400_000).toISOString().slice(0, 10));
  await small.getByRole('button', { name: '引継ぎ日を知らせる' }).click();
  await said(small, '引継ぎ日を知らせました');
}, { vital: true });

await test('the letter with the headings of the form fits one page; the asker closes', async () => {
  await page.reload();
  await page.getByRole('link', { name: '診療情報提供書のひな形' }).click();
  for (const heading of ['紹介先', '紹介元', '傷病名', '紹介目的', '現在の処方', '備考']) {
    await page.getByText(heading).first().waitFor();
  }
  await page.locator('#l-disease').fill('心不全');
  await look(page, 'letter');
  const pdf = await page.pdf({ preferCSSPageSize: true });
  assert.equal((pdf.toString('latin1').match(/\/Type\s*\/Page[^s]/g) ?? []).length, 1, 'one A4 page');
  await page.goBack();
  await page.getByRole('button', { name: '確認しました' }).click();
  await said(page, '引継ぎが終わりました');
  await look(page, 'closed');
}, { vital: true });

await test('a message to an attending doctor is written, and says when it arrives', async () => {
  await page.goto(`${demo.baseUrl}/contacts/new`);
  await page.locator('#clinic').selectOption({ index: 2 });
  await page.locator('#patient').fill('M.S.');
  await page.locator('label.choice', { hasText: '状態の変化' }).click();
  await page.locator('#text').fill('熱があります。');
  await look(page, 'message');
  await page.getByRole('button', { name: '主治医に伝える' }).click();
  await said(page, '承りました');
  await look(page, 'message-sent');
  await page.getByRole('link', { name: 'ファクス用の主治医連絡票' }).click();
  await page.getByText('熱があります。').waitFor();
  await look(page, 'sheet');
});

await finish();
