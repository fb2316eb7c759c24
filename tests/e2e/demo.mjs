// A newcomer, told nothing, starts `touban demo` and goes once around: asks, reads the mail, takes it at phone size,
// answers, closes, and sees the two lines. Everything done here is written on the pages.

import assert from 'node:assert/strict';
import { axe, desktop, elderly, finish, phone, shot, startTouban, test } from './harness.mjs';

let demo, page, handset;
let number = 0;
const words = async (locator) => (await locator.innerText()).replace(/\s+/g, ' ');

/** What is said once after a step. */
const said = (page, text) => page.locator('.notice', { hasText: text }).waitFor();

async function look(page, name) {
  number += 1;
  await shot(page, `demo-${String(number).padStart(2, '0')}-${name}`);
  await axe(page);
  await elderly(page);
}

/** By the strip that stands on every page. */
const strip = (name) => page.locator('nav.demo-strip').getByRole('link', { name }).click();

await test('the demo is ready within seconds, without settings, database or mail server', async () => {
  demo = await startTouban({ args: ['demo', '--listen', '127.0.0.1:0'], readyMs: 20_000 });
  page = await desktop();
  await page.goto(demo.baseUrl);
  if (new URL(page.url()).pathname !== '/demo') await page.goto(`${demo.baseUrl}/demo`);
  await page.getByRole('heading', { level: 1 }).waitFor();
  await look(page, 'begin');
}, { vital: true });

await test('step 1: as Dr Sato the newcomer asks a dermatologist', async () => {
  await page.getByRole('button', { name: /佐藤.*として始める/ }).click();
  if (new URL(page.url()).pathname !== '/consults/new') await page.getByRole('link', { name: '相談を頼む' }).first().click();
  await look(page, 'ask');
  const card = (text) => page.locator('label.choice', { hasText: text }).first().click();
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
  await said(page, '相談を送りました');
  await look(page, 'asked');
}, { vital: true });

await test('step 2: the mail is in the mailbox, and its link opens at the size of a phone', async () => {
  await strip('届いたメール');
  const mail = page.locator('a.row', { hasText: '相談のお願い' });
  for (let wait = 0; wait < 40 && await mail.count() === 0; wait += 1) {
    await page.waitForTimeout(250);
    await page.reload();
  }
  await look(page, 'mailbox');
  await mail.first().click();
  await look(page, 'mail');
  const pin = (await page.locator('.code.big').innerText()).trim();
  assert.match(pin, /^\d{4}$/);
  const popup = page.waitForEvent('popup');
  await page.getByRole('link', { name: 'スマートフォンの大きさで開く' }).click();
  handset = await popup;
  await handset.getByRole('heading', { name: '相談のお願い（皮膚科）' }).waitFor();
  assert.ok(handset.viewportSize() === null || handset.viewportSize().width <= 400 || await handset.evaluate(() => innerWidth) <= 400,
    'as wide as a phone');
  await look(handset, 'offer');
  await handset.locator('#pin').fill(pin);
  await handset.getByRole('button', { name: /引き受ける.*助言のみ/ }).click();
  await said(handset, '引き受けました');
  await look(handset, 'taken');
}, { vital: true });

await test('step 2, continued: the specialist answers', async () => {
  await handset.getByLabel('見立て').fill('乾いた壊死で、感染の徴候はありません。');
  await handset.getByLabel('今すること').fill('切除は急がず、軟膏で柔らかくします。');
  await handset.getByRole('button', { name: 'お答えを送る' }).click();
  await said(handset, 'お答えを送りました');
  await look(handset, 'answered');
  await handset.close();
}, { vital: true });

await test('step 3: back as Dr Sato, the answer is read and the consult closed', async () => {
  await strip('はじめに');
  await look(page, 'begin-half');
  await page.getByRole('button', { name: /佐藤.*にもどる/ }).click();
  await page.locator('nav.menu').getByRole('link', { name: '相談の一覧' }).click();
  await look(page, 'list');
  await page.locator('a.row', { hasText: '四つの質問に答えて閉じてください' }).first().click();
  const card = (group, text) => page.getByRole('group', { name: group }).locator('label.choice', { hasText: text }).first().click();
  await card('病院への紹介や搬送を避けられましたか', '避けられた');
  await card('新たに紹介や往診が必要になりましたか', 'いいえ');
  await card('役に立ちましたか', 'とても役に立った');
  await card('期限までに答えが来ましたか', 'はい');
  await page.getByRole('button', { name: '答えて相談を閉じる' }).click();
  await said(page, '相談を閉じました');
  await look(page, 'closed');
}, { vital: true });

await test('step 4: the clerk sees the two lines of this consult in the ledger', async () => {
  const caseNo = (await page.locator('.case-no').innerText()).match(/[A-Z]\d+-\d{4,}/)[0];
  await strip('はじめに');
  await page.getByRole('button', { name: /山田.*として始める/ }).click();
  if (!new URL(page.url()).pathname.startsWith('/ledger')) await page.locator('nav.menu').getByRole('link', { name: '補助台帳' }).click();
  const rows = page.locator('table.ledger tbody tr', { hasText: caseNo });
  const lines = await Promise.all((await rows.all()).map(words));
  assert.equal(lines.length, 2);
  assert.ok(lines.some((l) => l.includes('依頼側') && l.includes('500円')), lines.join('\n'));
  assert.ok(lines.some((l) => l.includes('受諾側') && /[23],000円/.test(l)), lines.join('\n'));
  await look(page, 'ledger');
  await strip('はじめに');
  await look(page, 'begin-done');
  assert.equal(await page.locator('ol.tour li.done').count(), 3);
});

await test('the demo is small on a phone, too', async () => {
  const small = await phone();
  await small.goto(`${demo.baseUrl}/demo`);
  await look(small, 'begin-phone');
  await small.context().close();
});

await test('the demo ends when it is asked to, and leaves nothing behind', async () => {
  await demo.stop();
});

await finish();
