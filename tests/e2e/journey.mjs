// One consult from the question to the ledger, and what surrounds it: in a real browser, with mail through a real mail
// server, on the database named in TOUBAN_E2E_DATABASE.

import assert from 'node:assert/strict';
import { leaks, plant, plantTypedPin, planting } from './canaries.mjs';
import { expectComplaint, finish, test, until, withinFirstScreen } from './harness.mjs';
import {
  allMail, askForLink, codeOf, deskOf, enterPin, keepCookies, keepSecrets, look, nextMail, openOffice, phoneOf, said,
  signIn, signInOffice, watchAddresses, words,
} from './office.mjs';
import * as robot from './robot.mjs';

let office, sato, ito, kawabe, hoshino, maruyama, suzuki, yamada;
const desk = {};
const handy = {};
const watch = (page) => watchAddresses(office, page);

// What doctors write. Each text holds a word that stands nowhere else.
const texts = {
  question: `仙骨部の褥瘡、中央が黒色です。切除すべきでしょうか。${plant('clinical', 'the question')}`,
  tried: `ラップ療法を二週間。${plant('clinical', 'what was tried')}`,
  patient_ref: `M.T. ${plant('clinical', 'the patient reference')}`,
  details: `抗凝固薬を内服中。${plant('clinical', 'the details')}`,
  assessment: `乾いた壊死で、感染の徴候はありません。${plant('clinical', 'the assessment')}`,
  do_now: `外科的切除は急がず、軟膏で柔らかくします。${plant('clinical', 'what to do now')}`,
  follow_up: `三日後に写真を。${plant('clinical', 'the follow-up')}`,
  refer_when: `発熱や悪臭があれば病院へ。${plant('clinical', 'when to refer')}`,
  note: `たいへん助かりました。${plant('clinical', 'the thanks')}`,
};
const hiddenBeforeAcceptance = () => [
  sato.name, sato.institution.name, sato.phone, texts.tried, texts.patient_ref, texts.details,
];

async function card(scope, name, value) {
  await scope.locator('label.choice', { has: scope.page().locator(`input[name="${name}"][value="${value}"]`) }).click();
}

/** Fills the consult form as a doctor would and sends it. Returns the case number. */
async function sendConsult(page, { wish = 'advice', answerBy = 'three_days' } = {}) {
  const form = page.locator('form.ask');
  await card(form, 'specialty', 'dermatology');
  await card(form, 'wish', wish);
  await card(form, 'answer_by', answerBy);
  await form.locator('#decade').selectOption('80');
  await form.locator('#area').selectOption({ label: '青葉北' });
  await card(form, 'sex', 'female');
  await form.locator('#condition').selectOption('wound');
  await card(form, 'can_travel', 'no');
  for (const field of ['question', 'tried', 'patient_ref', 'details']) await form.locator(`#${field}`).fill(texts[field]);
  await form.getByRole('button', { name: 'この内容で相談を頼む' }).click();
  await said(page, '相談を送りました');
  return (await page.locator('.case-no').innerText()).match(/[A-Z]\d+-\d{4,}/)[0];
}

// ------------------------------------------------------------------------------------------ the office

await test('an association is set up with commands, and touban starts on the database of the settings', async () => {
  office = await openOffice(process.env.TOUBAN_E2E_DATABASE ?? 'sqlite');
  ({ sato, ito, kawabe, hoshino, maruyama, suzuki, yamada } = office.people);
}, { vital: true });

// ---------------------------------------------------------------------------------------- the home doctor

await test('whoever types an address gets the same answer, whether or not somebody has it', async () => {
  const page = await deskOf(office);
  await page.goto(office.base);
  await look(office, page, 'start');
  await page.getByRole('link', { name: /名前を確かめる/ }).click();
  await look(office, page, 'sign-in');
  await page.locator('#address').fill(`nobody.${office.mark}@example.jp`);
  await page.getByRole('button', { name: 'リンクを送る' }).click();
  const unknown = (await words(page.locator('main'))).replace(`nobody.${office.mark}@example.jp`, 'X');
  await look(office, page, 'sign-in-sent');
  const mail = await askForLink(office, page, sato);
  assert.equal((await words(page.locator('main'))).replace(sato.address, 'X'), unknown);
  assert.deepEqual(allMail(office).map((m) => m.to[0]), [sato.address]);
  assert.deepEqual(mail.defects, []);
  desk.sato = page;
  handy.satoMail = mail;
}, { vital: true });

await test('the home doctor signs in on the phone with the mailed link and the PIN', async () => {
  await robot.scan(handy.satoMail, { watch });
  const page = handy.sato = await phoneOf(office);
  await page.goto(handy.satoMail.links[0]);
  await page.getByRole('heading', { name: '暗証番号を入れる' }).waitFor();
  assert.equal(new URL(page.url()).hash, '', 'the token leaves the address bar');
  await look(office, page, 'link-sign-in');
  await enterPin(page, sato);
  await look(office, page, 'phone-after-sign-in');
  await keepCookies(page, sato);
}, { vital: true });

await test('a used link opens nothing more, and says so kindly', async () => {
  const page = await phoneOf(office);
  await page.goto(handy.satoMail.links[0]);
  await page.getByRole('heading', { name: 'このリンクは使い終わっています' }).waitFor();
  await look(office, page, 'link-used');
  await page.context().close();
});

await test('at the desk the home doctor types the code of the mail instead', async () => {
  const mail = await askForLink(office, desk.sato, sato);
  await desk.sato.goto(`${office.base}/k`);
  await look(office, desk.sato, 'type-code');
  // As it is typed at night: small letters, blanks for hyphens, an o for the zero.
  await desk.sato.locator('#code').fill(codeOf(mail).toLowerCase().replaceAll('-', ' ').replaceAll('0', 'o'));
  await desk.sato.getByRole('button', { name: '内容を見る' }).click();
  await enterPin(desk.sato, sato);
  await keepCookies(desk.sato, sato);
}, { vital: true });

await test('an empty form says what is missing and keeps what was typed', async () => {
  expectComplaint(/422/);
  const page = desk.sato;
  await page.goto(`${office.base}/consults/new`);
  await look(office, page, 'ask');
  await page.locator('#question').fill(texts.question);
  await page.getByRole('button', { name: 'この内容で相談を頼む' }).click();
  await page.getByRole('heading', { name: 'もう少し教えてください' }).waitFor();
  assert.equal(await page.locator('#question').inputValue(), texts.question);
  assert.match(await words(page.locator('[role=alert]')), /診療科を選んでください/);
  await look(office, page, 'ask-missing');
});

await test('the home doctor asks a dermatologist', async () => {
  const page = desk.sato;
  await page.goto(`${office.base}/consults/new`);
  office.first = await sendConsult(page);
  office.firstPath = new URL(page.url()).pathname;
  assert.match(await words(page.locator('main')), /お願いした先生 3名/);
  await look(office, page, 'asked');
}, { vital: true });

// ------------------------------------------------------------------------------------------- the offers

await test('three dermatologists get a mail that says nothing about patient, doctor or clinic', async () => {
  handy.offers = {};
  for (const person of [ito, kawabe, hoshino]) {
    const mail = handy.offers[person.key] = await nextMail(office, person, /相談のお願い/);
    assert.equal(mail.subject.includes('皮膚科'), true);
    assert.equal(mail.subject.includes(office.first), true);
    assert.match(mail.text, /青葉北/);
    assert.deepEqual(mail.defects, []);
    for (const secret of [...hiddenBeforeAcceptance(), texts.question, '80代', '女性', person.name]) {
      assert.equal((mail.subject + mail.text + mail.html).includes(secret), false, 'more than the envelope');
    }
    // Its own link, and the page where the code is typed.
    assert.deepEqual([...new Set(mail.links.map((l) => l.split('#')[0]))], [`${office.base}/k`]);
    assert.equal(new Set(mail.links.filter((l) => l.includes('#'))).size, 1);
  }
  assert.equal(allMail(office).some((m) => m.to.includes(maruyama.address)), false, 'the fourth waits for the second round');
}, { vital: true });

await test('a robot that opens every link and sends every form without a PIN changes nothing', async () => {
  const before = await office.state();
  for (const person of [ito, kawabe]) await robot.scan(handy.offers[person.key], { watch });
  assert.deepEqual(await office.state(), before);
}, { vital: true, limitMs: 600_000 });

await test('a robot that tries PINs ends the one link it has, and the board says so', async () => {
  expectComplaint(/./);
  const pins = ['0000', '1111', '1234', '4321', '9999'];
  assert.equal(pins.includes(hoshino.pin), false);
  await robot.scan(handy.offers.hoshino, { pins, watch });
  const page = await phoneOf(office);
  await page.goto(handy.offers.hoshino.links[0]);
  await page.getByRole('heading', { name: 'このリンクは止めました' }).waitFor();
  await look(office, page, 'link-locked');
  await page.context().close();
  desk.suzuki = await deskOf(office);
  await signInOffice(office, desk.suzuki, suzuki);
  await keepCookies(desk.suzuki, suzuki);
  await desk.suzuki.goto(`${office.base}/board`);
  assert.match(await words(desk.suzuki.locator('.alarms')), /星野/);
  await look(office, desk.suzuki, 'board-alarm');
  await desk.suzuki.getByRole('button', { name: '確認しました' }).first().click();
  await desk.suzuki.locator('.alarms').waitFor({ state: 'detached' });
}, { limitMs: 600_000 });

// --------------------------------------------------------------------------------------- the dermatologists

await test('the second dermatologist looks at the question and leaves it for later', async () => {
  handy.kawabe = await phoneOf(office);
  await handy.kawabe.goto(handy.offers.kawabe.links[0]);
  await handy.kawabe.getByRole('heading', { name: '相談のお願い（皮膚科）' }).waitFor();
});

await test('the first dermatologist sees on the phone what is asked, but not for whom', async () => {
  const page = handy.ito = await phoneOf(office);
  await page.goto(handy.offers.ito.links[0]);
  await page.getByRole('heading', { name: '相談のお願い（皮膚科）' }).waitFor();
  assert.equal(new URL(page.url()).hash, '');
  const seen = await page.content();
  for (const shown of ['80代', '女性', '青葉北', texts.question, office.first]) assert.equal(seen.includes(shown), true, shown);
  for (const secret of hiddenBeforeAcceptance()) assert.equal(seen.includes(secret), false, 'too much is shown');
  await look(office, page, 'offer');
  const answers = ['accept_advice', 'decline'];
  for (const answer of answers) await withinFirstScreen(page.locator(`button[name=answer][value=${answer}]`));
  await page.setViewportSize({ width: 320, height: 568 });
  for (const answer of answers) await withinFirstScreen(page.locator(`button[name=answer][value=${answer}]`));
  await look(office, page, 'offer-small');
  await page.setViewportSize({ width: 390, height: 844 });
}, { vital: true });

await test('a wrong PIN is told with the tries that are left, and nothing is lost', async () => {
  expectComplaint(/422|403/);
  const page = handy.ito;
  const accept = page.locator('button[name=answer][value=accept_advice]');
  await page.locator('#pin').fill(plantTypedPin('eight digits typed as a PIN'));
  await accept.click();
  await page.locator('#pin-problem').waitFor();
  assert.match(await words(page.locator('#pin-problem')), /4けたの数字/);
  const wrong = String((Number(ito.pin) + 1_111) % 10_000).padStart(4, '0');
  await page.locator('#pin').fill(wrong);
  await accept.click();
  await page.getByText('番号が合いません').waitFor();
  assert.match(await words(page.locator('#pin-problem')), /あと4回/);
  assert.equal(await page.locator('#pin').inputValue(), '', 'the PIN is not sent back');
  await look(office, page, 'offer-wrong-pin');
}, { vital: true });

await test('with the right PIN it is taken, and the whole case stands open with the number of the asker', async () => {
  const page = handy.ito;
  await page.locator('#pin').fill(ito.pin);
  await page.locator('button[name=answer][value=accept_advice]').click();
  await said(page, '引き受けました');
  const seen = await words(page.locator('main'));
  for (const shown of [sato.name, sato.institution.name, sato.phone, texts.question, texts.tried, texts.patient_ref, texts.details]) {
    assert.equal(seen.includes(shown), true, `not shown: ${shown}`);
  }
  assert.equal(await page.locator(`main a[href="tel:${sato.phone.replaceAll('-', '')}"]`).count(), 1);
  await keepCookies(page, ito);
  await look(office, page, 'taken');
}, { vital: true });

await test('the second dermatologist reads that a colleague took it, with thanks', async () => {
  const page = handy.kawabe;
  await page.goto(handy.offers.kawabe.links[0]);
  await page.getByRole('heading', { name: 'ほかの先生がお引き受けくださいました' }).waitFor();
  await look(office, page, 'taken-by-another');
  await nextMail(office, kawabe, /ほかの先生がお引き受けくださいました/);
  await nextMail(office, ito, /お引き受けの確認/);
});

await test('the coordinator sees who was asked, who took it, and what happens next', async () => {
  const page = desk.suzuki;
  await page.goto(`${office.base}/board`);
  const row = await words(page.locator('article.request', { hasText: office.first }));
  for (const shown of [ito.name, kawabe.name, hoshino.name, '引き受け', 'メール送信済み']) assert.equal(row.includes(shown), true, shown);
  await look(office, page, 'board-taken');
  await page.getByRole('link', { name: new RegExp(office.first) }).click();
  const seen = await words(page.locator('main'));
  assert.equal(seen.includes(sato.name), true);
  for (const clinical of Object.values(texts)) assert.equal((await page.content()).includes(clinical), false, 'clinical text on the board');
  await look(office, page, 'board-case');
});

await test('the dermatologist answers on the phone', async () => {
  const page = handy.ito;
  for (const field of ['assessment', 'do_now', 'follow_up', 'refer_when']) await page.locator(`#${field}`).fill(texts[field]);
  await page.getByRole('button', { name: 'お答えを送る' }).click();
  await said(page, 'お答えを送りました');
  await look(office, page, 'answered');
}, { vital: true });

// -------------------------------------------------------------------------------------------- the end

await test('the home doctor reads the answer and closes the consult with four questions', async () => {
  await nextMail(office, sato, /お引き受けがありました/);
  const mail = await nextMail(office, sato, /回答が届きました/);
  await robot.scan(mail, { watch });
  const page = desk.sato;
  await page.goto(mail.links[0]);
  const seen = await words(page.locator('main'));
  for (const field of ['assessment', 'do_now', 'follow_up', 'refer_when']) assert.equal(seen.includes(texts[field]), true, field);
  await look(office, page, 'answer');
  const form = page.locator('form', { has: page.locator('#avoided') });
  for (const [name, value] of [['avoided', 'yes'], ['newly_needed', 'no'], ['helpful', '5'], ['in_time', 'yes']]) await card(form, name, value);
  await form.locator('#note').fill(texts.note);
  await form.getByRole('button', { name: '答えて相談を閉じる' }).click();
  await said(page, '相談を閉じました');
  await look(office, page, 'closed');
}, { vital: true });

await test('the dermatologist gets the thanks and the outcome', async () => {
  const mail = await nextMail(office, ito, /相談が終わりました/);
  const page = handy.ito;
  await page.goto(mail.links[0]);
  assert.equal((await words(page.locator('main'))).includes(texts.note), true);
  await look(office, page, 'thanks');
});

/** The lines of one case in the ledger: { side, amount, verdict, institution }. */
async function ledgerLines(page, caseNo) {
  const rows = page.locator('table.ledger tbody tr', { hasText: caseNo });
  const found = [];
  for (const row of await rows.all()) {
    const cells = await Promise.all((await row.locator('th, td').all()).map(words));
    found.push({ side: cells[1], institution: cells[2], verdict: cells[4], amount: cells[5] });
  }
  return found.sort((a, b) => a.side.localeCompare(b.side, 'ja'));
}

await test('the clerk finds two lines in the ledger, one for each side, with their amounts', async () => {
  const page = desk.yamada = await deskOf(office);
  await signInOffice(office, page, yamada);
  await keepCookies(page, yamada);
  await page.locator('nav.menu').getByRole('link', { name: '補助台帳' }).click();
  const lines = await ledgerLines(page, office.first);
  assert.deepEqual(lines.map((l) => l.side).sort(), ['依頼側', '受諾側'].sort());
  const of = (side) => lines.find((l) => l.side === side);
  assert.match(of('依頼側').institution, /佐藤医院/);
  assert.equal(of('依頼側').amount, '500円');
  assert.match(of('受諾側').institution, /青葉中央皮膚科/);
  // By day or by night and holiday, whenever this runs.
  assert.match(of('受諾側').amount, /^[23],000円$/);
  for (const line of lines) assert.match(line.verdict, /^対象(?!外)/);
  await look(office, page, 'ledger');
});

// ---------------------------------------------------------------------------------- without scripts, again

await test('without scripts a consult goes the same way: by the typed code', async () => {
  const bare = { javaScriptEnabled: false };
  const asking = await deskOf(office, bare);
  const signing = await askForLink(office, asking, sato);
  await asking.goto(`${office.base}/k`);
  await asking.locator('#code').fill(codeOf(signing));
  await asking.getByRole('button', { name: '内容を見る' }).click();
  await enterPin(asking, sato);
  await asking.goto(`${office.base}/consults/new`);
  office.second = await sendConsult(asking, { wish: 'visit', answerBy: 'tomorrow_noon' });

  const mail = await nextMail(office, maruyama, /相談のお願い/);
  const page = await phoneOf(office, bare);
  // The link itself leads to the same place; what is behind the # does nothing here.
  await page.goto(mail.links[0]);
  await look(office, page, 'no-script-code');
  await page.locator('#code').fill(codeOf(mail));
  await page.getByRole('button', { name: '内容を見る' }).click();
  await page.setViewportSize({ width: 320, height: 568 });
  for (const answer of ['accept_visit', 'decline']) await withinFirstScreen(page.locator(`button[name=answer][value=${answer}]`));
  await page.setViewportSize({ width: 390, height: 844 });
  await look(office, page, 'no-script-offer');
  await page.locator('#pin').fill(maruyama.pin);
  await page.locator('button[name=answer][value=accept_visit]').click();
  await said(page, '引き受けました');
  assert.equal((await words(page.locator('main'))).includes(texts.details), true);
  await look(office, page, 'no-script-taken');
  await asking.context().close();
  await page.context().close();
});

await test('a known device takes a consult with one tap, and asks for the PIN before it shows the patient', async () => {
  await desk.sato.goto(`${office.base}/consults/new`);
  office.third = await sendConsult(desk.sato);
  const mail = await nextMail(office, ito, new RegExp(`相談のお願い.*${office.third}`));
  const page = handy.ito;
  await page.getByRole('button', { name: '終わる' }).click();
  await page.goto(mail.links[0]);
  await page.getByRole('heading', { name: '相談のお願い（皮膚科）' }).waitFor();
  assert.equal(await page.locator('#pin').count(), 0, 'no PIN on a known device');
  await look(office, page, 'known-device');
  await page.locator('button[name=answer][value=accept_advice]').click();
  await page.getByRole('heading', { name: '患者さんの情報を開く' }).waitFor();
  for (const secret of hiddenBeforeAcceptance()) assert.equal((await page.content()).includes(secret), false, 'shown by one factor');
  await look(office, page, 'unlock');
  await page.locator('#pin').fill(ito.pin);
  await page.getByRole('button', { name: '開く', exact: true }).click();
  await page.getByText(texts.details).waitFor();
  await keepCookies(page, ito);
});

await test('the same pages speak English', async () => {
  const page = desk.sato;
  await page.goto(`${office.base}/consults`);
  await look(office, page, 'list');
  await page.getByRole('button', { name: 'English' }).click();
  await page.getByRole('link', { name: 'Ask a specialist' }).first().waitFor();
  assert.equal(await page.locator('html').getAttribute('lang'), 'en');
  await look(office, page, 'list-en');
  for (const [name, where] of [['ask-en', '/consults/new'], ['answer-en', office.firstPath]]) {
    await page.goto(office.base + where);
    await look(office, page, name);
  }
  await page.getByRole('button', { name: '日本語' }).click();
  await page.getByRole('link', { name: '相談を頼む' }).first().waitFor();
});

// ------------------------------------------------------------------------------------------ what leaked

await test('what cannot be found is said without a word about what was asked for', async () => {
  const texts = [];
  const secret = plant('clinical', 'a word in an address that leads nowhere');
  const ask = async (where, options) => {
    const response = await fetch(office.base + where, { redirect: 'manual', ...options });
    texts.push({ kind: 'page', place: `the answer to ${options?.method ?? 'GET'} ${where.replaceAll(secret, '…')}`,
      bytes: `${JSON.stringify([...response.headers])}\n${await response.text()}` });
    return response.status;
  };
  assert.equal(await ask(`/${secret}`), 404);
  assert.equal(await ask(`/consults/${secret}?why=${secret}`) >= 300, true);
  assert.equal(await ask(`/api/v1/requests/${secret}`) >= 400, true);
  const form = { method: 'POST', headers: { 'content-type': 'application/x-www-form-urlencoded' } };
  assert.equal(await ask('/consults', { ...form, body: `question=${secret}` }) >= 300, true);
  assert.equal(await ask('/k/answer', { ...form, body: `token=${secret}&pin=${secret}&answer=accept_advice` }) >= 300, true);
  const metrics = await (await fetch(office.metrics)).text();
  assert.match(metrics, /touban_/);
  texts.push({ kind: 'page', place: 'the metrics', bytes: metrics });
  assert.deepEqual(leaks(texts), []);

  expectComplaint(/404/);
  const page = await phoneOf(office);
  await page.goto(`${office.base}/nothing-here`);
  await look(office, page, 'not-found');
  await page.context().close();
});

await test('no planted word, token, code, cookie or PIN stands in a mail, the log, an address or the database', async () => {
  const mails = allMail(office);
  for (const mail of mails) keepSecrets(mail);
  assert.ok(mails.length >= 20, `${mails.length} mails`);
  assert.ok(office.addresses.length >= 300, `${office.addresses.length} addresses`);
  const log = office.said.join('\n');
  assert.ok(log.split('\n').length >= 100, 'the log says what happened');
  // A mail is addressed to one person by name; beyond that line it names nobody.
  for (const mail of mails) assert.equal(mail.to.length, 1, 'one reader');
  const written = (m) => [m.subject, m.from, m.text, m.html, ...m.headers.filter(([name]) => name !== 'To').map((h) => h.join(': '))];
  const found = leaks([
    ...mails.map((m) => ({ kind: 'mail', place: m.file, bytes: written(m).join('\n') })),
    { kind: 'log', place: 'the log', bytes: log },
    { kind: 'address', place: 'the addresses', bytes: office.addresses.join('\n') },
    ...office.database.texts().map((t) => ({ kind: 'database', ...t })),
  ]);
  assert.deepEqual(found, []);
  console.log(`        ${planting()} canaries; ${mails.length} mails, ${office.addresses.length} addresses, ${log.split('\n').length} lines of log;`
    + ` the robot: ${robot.done.requests} requests, ${robot.done.pages} pages, ${robot.done.forms} forms, ${robot.done.pins} PINs`);
});

await test('an auditor finds the books in order', async () => {
  await office.verify();
  await office.server.stop();
  office.database.drop();
});

await finish();
