// A newcomer begins with an empty database: sets the association up on the pages, reads eighty people in as offices
// keep them, prints sheets, enrols a phone; and the person of that phone takes a consult. No command is given but
// the one that starts touban.

import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { keep, leaks, plant } from './canaries.mjs';
import { expectComplaint, finish, shotsFolder, test, until } from './harness.mjs';
import {
  allMail, deskOf, keepCookies, keepSecrets, look, nextMail, oneTimeCode, openEmpty, phoneOf, said, setUpPassword,
  signIn, words,
} from './office.mjs';

const here = path.dirname(fileURLToPath(import.meta.url));
const question = `踵の褥瘡に黒い痂皮があります。外すべきでしょうか。${plant('clinical', 'the question')}`;

let office, desk, handy;
const lists = {};
const first = { key: 'watanabe', name: '渡辺 幸子', pin: '4826' };
// 会員番号 1001 of the lists: a specialist from the second list on.
const taker = { key: 'takahashi', name: '髙橋 健一' };
const see = (name, page = desk) => look(office, page, `people-${name}`);
const next = () => desk.getByRole('button', { name: '次へ' }).click();
const heading = (name, page = desk) => page.getByRole('heading', { name, level: 1 }).waitFor();

/** Signs in behind the set-up with password and code again, where a page asks for it. */
async function proveAgain(page) {
  if (!await page.getByRole('heading', { level: 1 }).filter({ hasText: 'もう一度' }).count()) return;
  first.step = Math.max(first.step + 1, Math.floor(Date.now() / 30_000));
  await until('the step of the next code', () => first.step <= Math.floor(Date.now() / 30_000) + 1, { timeoutMs: 90_000, everyMs: 500 });
  await page.locator('#password').fill(first.password);
  await page.locator('#code').fill(oneTimeCode(first.letters, first.step * 30_000));
  await page.locator('form[action="/sign-in/again"] button.main').click();
}

// ---------------------------------------------------------------------------------------- the set-up

await test('touban starts on an empty database and prints a link', async () => {
  office = await openEmpty(process.env.TOUBAN_E2E_DATABASE ?? 'sqlite');
  const link = await until('the link of the set-up', () => office.said.join('').match(/https?:\/\/\S+\/setup#[\w-]{43}/)?.[0]);
  office.setup = link;
  keep('secret', 'the token of the set-up', link.split('#')[1]);
}, { vital: true });

await test('a page for each of the association, its office and the mail, which is tried', async () => {
  desk = await deskOf(office);
  await desk.goto(office.setup);
  await heading('医師会の名前');
  await see('setup-association');
  await desk.locator('#name').fill('青葉市医師会');
  await next();
  await heading('事務局の連絡先');
  await see('setup-office');
  await desk.locator('#office_phone').fill('０４２－０００－００００');
  await desk.locator('#hours').fill('平日9時〜17時');
  await next();
  await heading('メールの確認');
  await see('setup-mail');
  first.address = `${first.key}.${office.mark}@example.jp`;
  await desk.locator('#address').fill(first.address);
  await desk.getByRole('button', { name: '試しに送る' }).click();
  await desk.getByText('メールサーバーが受け取りました').waitFor();
  await see('setup-mail-tried');
  assert.deepEqual((await nextMail(office, first, /./)).defects, []);
  await next();
}, { vital: true });

await test('the members are to come next, and the first administrator sets up a password with an app', async () => {
  await heading('会員の取り込み');
  await see('setup-members');
  await desk.locator('label.choice', { hasText: 'この設定のすぐ後' }).click();
  await next();
  await heading('最初の管理者');
  await desk.locator('#admin_name').fill(first.name);
  await desk.locator('#kana').fill('わたなべ さちこ');
  await desk.locator('#email').fill(first.address);
  for (const field of ['#pin', '#pin_again']) await desk.locator(field).fill(first.pin);
  await see('setup-administrator');
  await desk.getByRole('button', { name: '登録して終える' }).click();
  office.isNew = false;
  await heading('入る手だての登録');
  await desk.locator('#pin').fill(first.pin);
  await desk.getByRole('button', { name: '登録へ進む' }).click();
  await heading('入る手だてを登録する');
  await setUpPassword(office, desk, first);
  assert.equal(new URL(desk.url()).pathname, '/sheets/import', 'what was chosen comes next');
  first.step = Math.floor(Date.now() / 30_000);
  await keepCookies(desk, first);
}, { vital: true });

// ------------------------------------------------------------------------------------------ the lists

await test('the set-up is over: its link opens nothing any more', async () => {
  expectComplaint(/404/);
  const page = await deskOf(office);
  await page.goto(office.base);
  await see('start', page);
  await page.goto(office.setup);
  assert.equal(await page.locator('form[action="/setup/open"]').count(), 0);
  await page.context().close();
});

async function bringIn(file, kind = '会員') {
  await desk.goto(`${office.base}/sheets/import`);
  await proveAgain(desk);
  await heading('名簿を取り込む');
  await desk.locator('label.choice', { hasText: kind }).first().click();
  await desk.locator('#file').setInputFiles(file);
  await desk.getByRole('button', { name: '内容を確かめる' }).click();
}

/** The counts of the trial, by their names. */
async function counts() {
  const names = await desk.locator('dl.totals dt').allInnerTexts();
  const values = await desk.locator('dl.totals dd').allInnerTexts();
  return Object.fromEntries(names.map((name, i) => [name, Number.parseInt(values[i], 10)]));
}

await test('eighty people come in from a workbook as offices keep it', async () => {
  execFileSync('python3', [path.join(here, 'lists.py'), office.mark, office.folder]);
  lists.book = path.join(office.folder, 'members.xlsx');
  lists.later = path.join(office.folder, 'members-later.csv');
  await bringIn(lists.book);
  await heading(/取り込みの確認/);
  await see('trial-xlsx');
  assert.deepEqual(await counts(), { 追加: 80, 変更: 0, 変わらない: 0, 取り込めない: 0, 新しい医療機関: 40 });
  await desk.goto(`${office.base}/people`);
  assert.doesNotMatch(await words(desk.locator('main')), /髙橋/, 'a trial changes nothing');
  await desk.goBack();
  await desk.getByRole('button', { name: 'この内容で取り込む' }).click();
  await said(desk, '取り込みました');
  await see('taken-in');
  await desk.goto(`${office.base}/people`);
  assert.match(await words(desk.locator('main')), /81名/);
  await see('list');
}, { vital: true });

await test('a season later a file in Shift_JIS changes what changed, and says which rows it cannot take', async () => {
  await bringIn(lists.later);
  await heading(/取り込みの確認/);
  const said = await words(desk.locator('main'));
  assert.match(said, /Shift_JIS/);
  // No role is called 宇宙飛行士, and two rows have one number.
  for (const reason of ['宇宙飛行士', '1082', '行目']) assert.ok(said.includes(reason), reason);
  const found = await counts();
  assert.ok(found.追加 >= 1 && found.変更 >= 8 && found.取り込めない >= 2, JSON.stringify(found));
  await see('trial-shift-jis');
  await desk.getByRole('button', { name: '取り込めない行を除いて取り込む' }).click();
  await desk.getByText('取り込みました').first().waitFor();
  await desk.goto(`${office.base}/people`);
  await desk.locator('input[name=q]').fill('たかはし けんいち');
  await desk.locator('main form').filter({ has: desk.locator('input[name=q]') }).getByRole('button').click();
  await desk.getByRole('link', { name: new RegExp(taker.name) }).click();
  const card = await words(desk.locator('main'));
  for (const known of ['協力医', '皮膚科', '若葉町内科クリニック', '1001']) assert.ok(card.includes(known), known);
  taker.path = new URL(desk.url()).pathname;
  taker.address = `member0.${office.mark}@example.jp`;
  await see('person');
}, { vital: true });

await test('files that cannot be read are refused in words, and change nothing', async () => {
  const people = async () => {
    await desk.goto(`${office.base}/people`);
    return words(desk.locator('main'));
  };
  const before = await people();
  const rows = ['会員番号,氏名'];
  for (let n = 0; n < 50_000; n += 1) rows.push(`${n},名前 ${n}`);
  for (const [name, bytes, why] of [
    ['fifty-thousand.csv', rows.join('\r\n'), /行/],
    ['picture.xlsx', Buffer.concat([Buffer.from('\x89PNG\r\n\x1a\n', 'latin1'), Buffer.alloc(64)]), /画像|写真/],
    ['half.xlsx', readFileSync(lists.book).subarray(0, 4_000), /壊れ/],
    ['utf-16.csv', Buffer.from('\ufeff会員番号,氏名\r\n1,髙橋\r\n', 'utf16le'), /文字コード/],
  ]) {
    const file = path.join(office.folder, name);
    writeFileSync(file, bytes);
    await bringIn(file);
    const problem = desk.locator('#file-problem');
    await problem.waitFor();
    assert.match(await words(problem), why, name);
  }
  await see('refused');
  assert.equal(await people(), before);
});

// ----------------------------------------------------------------------------------------- the phone

await test('the office prints an enrolment sheet: one page, large, with the PIN in its fold', async () => {
  await desk.goto(`${office.base}/people/readiness`);
  await see('readiness');
  await desk.locator('tr', { hasText: taker.name }).locator('input[name=member]').check();
  await desk.locator('tr', { hasText: '山﨑 健一' }).locator('input[name=member]').check();
  await desk.getByRole('button', { name: '選んだ方の用紙を作る' }).click();
  await heading('登録の用紙');
  await see('sheet-start');
  await desk.getByRole('button', { name: '新しい番号で用紙を作る' }).click();
  const papers = desk.locator('article.paper');
  await papers.first().waitFor();
  assert.equal(await papers.count(), 2);
  const paper = papers.filter({ hasText: taker.name });
  taker.pin = (await paper.locator('.paper-digits').innerText()).replace(/\D/g, '');
  assert.match(taker.pin, /^\d{4}$/);
  for (const digits of await desk.locator('.paper-digits').allInnerTexts()) keep('pin', 'a PIN on paper', digits.replace(/\D/g, ''));
  taker.start = await paper.locator('.paper-address').innerText();
  await see('sheets');
  const file = path.join(shotsFolder, `${office.kind}-enrolment-sheets.pdf`);
  writeFileSync(file, await desk.pdf({ path: file, format: 'A4', preferCSSPageSize: true }));
  const pages = readFileSync(file, 'latin1').match(/\/Type\s*\/Page\b(?!s)/g);
  assert.equal(pages?.length, 2, 'one page each');
}, { vital: true });

await test('the doctor takes the phone: start page, mailed link, PIN of the paper; the phone is known from then on', async () => {
  handy = await phoneOf(office);
  await handy.goto(taker.start);
  await see('phone-start', handy);
  await handy.getByRole('link', { name: /名前を確かめる/ }).click();
  await handy.locator('#address').fill(taker.address);
  await handy.getByRole('button', { name: 'リンクを送る' }).click();
  await heading('メールをご覧ください', handy);
  const mail = await nextMail(office, taker, /在宅当番のページを開くリンク/);
  await handy.goto(mail.links[0]);
  await handy.locator('#pin').fill(taker.pin);
  assert.equal(await handy.locator('input[name=remember]').isChecked(), true);
  await see('phone-pin', handy);
  await handy.getByRole('button', { name: '入る' }).click();
  await handy.locator('nav.menu').waitFor();
  await handy.goto(`${office.base}/me`);
  assert.equal(await handy.locator('form[action$="/revoke"]').count(), 1, 'one known device');
  await see('phone-me', handy);
  await keepCookies(handy, taker);
}, { vital: true });

await test('a test mail is confirmed on the phone, and the board says that the doctor is ready', async () => {
  await desk.goto(`${office.base}/people/readiness`);
  await desk.locator('tr', { hasText: taker.name }).locator('input[name=member]').check();
  await desk.getByRole('button', { name: '選んだ方に確認メールを送る' }).click();
  const mail = await nextMail(office, taker, /確認|届/);
  await handy.goto(mail.links.find((link) => link.includes('#')));
  await see('phone-test', handy);
  await handy.getByRole('button', { name: '届きました' }).click();
  await see('phone-arrived', handy);
  await desk.goto(`${office.base}/people/readiness`);
  assert.ok(await desk.locator('tr.done', { hasText: taker.name }).count(), 'ready');
  await see('ready');
});

await test('the office asks in the name of a doctor who faxed', async () => {
  await desk.goto(`${office.base}/people`);
  await desk.locator('input[name=q]').fill('1011');
  await desk.locator('main form').filter({ has: desk.locator('input[name=q]') }).getByRole('button').click();
  await desk.locator('main').getByRole('link', { name: /先生/ }).first().click();
  const asker = new URL(desk.url()).pathname;
  await desk.goto(`${office.base}${asker}/for/new`);
  const form = desk.locator('form.ask');
  const card = (name, value) => form.locator('label.choice', { has: desk.locator(`input[name="${name}"][value="${value}"]`) }).click();
  if (await form.locator('input[name=channel]').count()) await form.locator('label.choice', { has: desk.locator('input[name=channel]') }).first().click();
  await card('specialty', 'dermatology');
  await card('wish', 'advice');
  await card('answer_by', 'three_days');
  await form.locator('#decade').selectOption('80');
  await form.locator('#area').selectOption({ label: '青葉北' });
  await card('sex', 'female');
  await form.locator('#condition').selectOption('wound');
  await card('can_travel', 'no');
  await form.locator('#question').fill(question);
  await see('ask-for');
  await form.locator('button.main').click();
  await desk.locator('.notice').first().waitFor();
  await see('asked-for');
}, { vital: true });

await test('the doctor takes the consult on the phone with one tap, and opens it with the PIN', async () => {
  const mail = await nextMail(office, taker, /相談のお願い/);
  assert.deepEqual(mail.defects, []);
  await handy.goto(mail.links.find((link) => link.includes('#')));
  await heading('相談のお願い（皮膚科）', handy);
  await see('phone-offer', handy);
  await handy.locator('button[name=answer][value=accept_advice]').click();
  await handy.waitForURL(/\/consults\//);
  if (await handy.locator('#pin').count()) {
    await handy.locator('#pin').fill(taker.pin);
    await handy.locator('main form button.main').first().click();
  }
  await handy.getByText(question).waitFor();
  await see('phone-taken', handy);
  await desk.goto(`${office.base}/board`);
  assert.match(await words(desk.locator('main')), new RegExp(taker.name.split(' ')[0]));
  await see('board');
}, { vital: true });

await test('an answer outlives its session: the PIN, one press, and every word has arrived', async () => {
  expectComplaint(/403/);
  const text = `乾いた痂皮は外さず、乾かして様子をみます。${plant('clinical', 'the assessment')}`;
  await handy.locator('#assessment').fill(text);
  await handy.locator('#do_now').fill('ヨードで乾かします。');
  // Meanwhile the doctor ends every other session from the clinic's own computer.
  const clinic = await deskOf(office);
  await signIn(office, clinic, taker);
  await clinic.goto(`${office.base}/me/sessions`);
  await clinic.locator('form[action$="/end"] button').first().click();
  await said(clinic, '終わらせました');
  await clinic.context().close();
  await handy.getByRole('button', { name: 'お答えを送る' }).click();
  await heading('もう一度お名前を確かめます', handy);
  await see('phone-kept', handy);
  await handy.locator('#pin').fill(taker.pin);
  await handy.getByRole('button', { name: '確かめて進む' }).click();
  await heading('確かめました', handy);
  await see('phone-carry-on', handy);
  await handy.getByRole('button', { name: 'この内容で続ける' }).click();
  await handy.getByText(text).waitFor();
  await keepCookies(handy, taker);
});

await test('the yearly list of contact hours comes in', async () => {
  const file = path.join(office.folder, 'windows.csv');
  const year = new Intl.DateTimeFormat('ja-JP-u-ca-japanese', { era: 'long', year: 'numeric', timeZone: 'Asia/Tokyo' });
  // The fiscal year begins in April.
  const april = new Date(Date.now() - 90 * 86_400_000);
  writeFileSync(file, `\ufeff${year.format(april)}度　ケアマネタイム一覧\r\n会員番号,医師名,方法,曜日,時間,備考\r\n`
    + `1001,${taker.name},電話・FAX,月・水,１２：３０〜１３：３０,\r\n,,来院,金,終日,前日までにお電話を\r\n`);
  await bringIn(file, 'ケアマネタイム一覧');
  await heading(/取り込みの確認/);
  assert.equal((await counts()).追加, 1);
  await see('trial-windows');
  await desk.getByRole('button', { name: 'この内容で取り込む' }).click();
  await said(desk, '取り込みました');
  await desk.goto(`${office.base}/directory/windows`);
  assert.match(await words(desk.locator('main')), /12時30分〜13時30分/);
  await see('windows');
});

await test('the lists go out again', async () => {
  await desk.goto(`${office.base}/sheets/export`);
  await proveAgain(desk);
  await see('export');
  const download = desk.waitForEvent('download');
  await desk.getByRole('button', { name: '取り出す' }).click();
  const file = await (await download).path();
  assert.equal(readFileSync(file).subarray(0, 2).toString(), 'PK');
});

await test('no PIN, token, password or question stands in a mail, the log, an address or the database', async () => {
  const mails = allMail(office);
  for (const mail of mails) keepSecrets(mail);
  const found = leaks([
    ...mails.map((m) => ({ kind: 'mail', place: m.file, bytes: [m.subject, m.from, m.text, m.html].join('\n') })),
    // The link of the set-up stands in the log once, because whoever reads it there is whoever set the machine up.
    { kind: 'log', place: 'the log', bytes: office.said.join('\n').replaceAll(office.setup, '') },
    { kind: 'address', place: 'the addresses', bytes: office.addresses.join('\n') },
    ...office.database.texts().map((t) => ({ kind: 'database', ...t })),
  ]);
  assert.deepEqual(found, []);
  await until('the books', () => office.verify());
  await office.server.stop();
  office.database.drop();
});

await finish();
