// Duties that change hands after the rota is published: an exchange with the other side and the coordinator, somebody who
// cannot come, a call to all, an undoing. By the links of mails in a real browser; who is on duty is asked of the API in
// the same second.

import assert from 'node:assert/strict';
import { finish, test } from './harness.mjs';
import { deskOf, look, nextMail, openOffice, phoneOf, said, signIn, signInOffice, touban, words } from './office.mjs';

// It is Friday, 16 o'clock in Tokyo, here and for the service: two hours before the night begins.
const HOUR = 3_600_000;
const now = Date.now;
const shift = (() => {
  const today = new Date(now() + 9 * HOUR);
  const friday = new Date(today.getTime() + ((12 - today.getUTCDay()) % 7) * 24 * HOUR).toISOString().slice(0, 10);
  const four = Date.parse(`${friday}T16:00:00+09:00`);
  return Math.ceil((four < now() ? four + 7 * 24 * HOUR : four) - now());
})();
Date.now = () => now() + shift;

let office, people, key;
const pages = {};

// ------------------------------------------------------------------------------------------- the rota

/** Tonight, tomorrow night …: from 18 o'clock in Tokyo for fourteen hours. */
const firstNight = (() => {
  const civil = new Date(Date.now() + 9 * HOUR).toISOString().slice(0, 10);
  return Date.parse(`${civil}T18:00:00+09:00`);
})();
const night = (n) => ({ from: firstNight + n * 24 * HOUR, to: firstNight + n * 24 * HOUR + 14 * HOUR });
const iso = (ms) => new Date(ms).toISOString();
const civilDay = (ms) => new Date(ms + 9 * HOUR).toISOString().slice(0, 10);

async function api(method, path, body) {
  const response = await fetch(`${office.base}/api/v1${path}`, {
    method,
    headers: { authorization: `Bearer ${key}`, 'content-type': 'application/json' },
    body: body && JSON.stringify(body),
  });
  const answer = await response.json();
  assert.ok(response.ok, `${method} ${path}: ${response.status} ${JSON.stringify(answer)}`);
  return answer;
}

/** Who is on an hour into a night, by the key of the person; `-` when nobody is. */
async function on(n, role) {
  const { items } = await api('GET', `/duty?at=${encodeURIComponent(iso(night(n).from + HOUR))}&role=${role}`);
  const ids = items.flatMap((item) => item.people.map((person) => person.member));
  assert.ok(ids.length <= 1, 'one at most');
  return ids.length ? Object.values(people).find((person) => person.id === ids[0])?.key : '-';
}

async function publish(nights) {
  const { items } = await api('GET', '/members?limit=500');
  for (const person of Object.values(people)) {
    const found = items.find((item) => item.name === person.name);
    person.id = found.id;
    person.place = found.institution;
  }
  const assignments = nights.flatMap(([n, primary, deputy]) => [['primary', primary], ['deputy', deputy]].map(([role, who]) => ({
    slot: `${civilDay(night(n).from)}/wn`, role, from: iso(night(n).from), to: iso(night(n).to), member: who.id, institution: who.place,
  })));
  const from = iso(firstNight - 18 * HOUR);
  const to = iso(firstNight + 40 * 24 * HOUR);
  await api('POST', '/rotas', { area: 'all', from, to, breaches: 'accept', note: '', assignments });
}

// ------------------------------------------------------------------------------------------ the people

/** Opens the link of a mail, types the PIN and presses the answer. */
async function agree(person, mail, name, button) {
  const page = await phoneOf(office);
  await page.goto(mail.links[0]);
  await page.locator('#pin').waitFor();
  await look(office, page, name);
  await page.locator('#pin').fill(person.pin);
  await page.getByRole('button', { name: button }).click();
  await said(page, '引き受けました');
  return page;
}

async function card(page, name, value) {
  await page.locator('label.choice', { has: page.locator(`input[name="${name}"][value="${value}"]`) }).click();
}

/** The page on which a change of one's duty of a night is asked for. */
const askPath = (n) => `${office.base}/duties/all/primary/${night(n).from}`;

await test('an association has published its rota', async () => {
  office = await openOffice(process.env.TOUBAN_E2E_DATABASE ?? 'sqlite', { shift });
  people = office.people;
  const made = await touban(office, ['admin', 'create-key', '--association', 'aoba', '--label', 'rota',
    ...['read', 'rota', 'request', 'act_for'].flatMap((scope) => ['--scope', scope])]);
  key = made.secret;
  const { sato, ito, kawabe, hoshino } = people;
  await publish([0, 1, 2, 3, 4, 5].map((n) => (n % 2 ? [n, sato, ito] : [n, kawabe, hoshino])));
  assert.equal(await on(1, 'primary'), 'sato');
  assert.equal(await on(0, 'deputy'), 'hoshino');
}, { vital: true });

await test('a doctor sees the own duties and asks on the phone for an exchange', async () => {
  const page = pages.sato = await phoneOf(office);
  await signIn(office, page, people.sato);
  await page.goto(`${office.base}/duties`);
  assert.equal(await page.locator('ul.duties > li').count(), 3);
  await look(office, page, 'duties');
  await page.setViewportSize({ width: 320, height: 568 });
  await look(office, page, 'duties-small');
  await page.setViewportSize({ width: 390, height: 844 });
  await page.getByRole('link', { name: '交代をお願いする' }).first().click();
  await look(office, page, 'swap-ask');
  await card(page, 'form', 'exchange');
  const theirs = `all primary ${night(0).from} ${night(0).to}`;
  await page.locator('#takes').selectOption(theirs);
  await page.locator('#note').fill('学会のため');
  await page.getByRole('button', { name: 'お願いを送る' }).click();
  await said(page, 'お願いを送りました');
  await look(office, page, 'duties-asked');
}, { vital: true });

await test('the other side agrees by the link of the mail, and both duties have changed hands in that second', async () => {
  const { kawabe, sato, ito } = people;
  const mail = await nextMail(office, kawabe, /当番の交換のお願い/);
  for (const secret of [sato.name, kawabe.name, '学会']) assert.equal((mail.subject + mail.text + mail.html).includes(secret), false);
  assert.equal(await on(1, 'primary'), 'sato', 'nothing has changed before the yes');
  pages.kawabe = await agree(kawabe, mail, 'link-swap', '引き受ける');
  assert.equal(await on(1, 'primary'), 'kawabe');
  assert.equal(await on(0, 'primary'), 'sato');
  await look(office, pages.kawabe, 'swap-agreed');
  for (const person of [sato, kawabe, ito]) await nextMail(office, person, /変更が決まりました/);
}, { vital: true });

await test('a yes given by mistake is undone, and everything is as before', async () => {
  const page = pages.kawabe;
  await page.getByText('引き受けを取り消す').click();
  await page.getByRole('button', { name: '取り消す', exact: true }).click();
  await said(page, '取り消しました');
  assert.equal(await on(1, 'primary'), 'sato');
  assert.equal(await on(0, 'primary'), 'kawabe');
  // Asked again: the same question, the same button.
  const again = await nextMail(office, people.kawabe, /当番の交換のお願い/);
  await agree(people.kawabe, again, 'link-swap-again', '引き受ける');
  assert.equal(await on(1, 'primary'), 'kawabe');
}, { vital: true });

await test('who falls ill on Friday at four is relieved at once, and a new deputy comes by a call', async () => {
  const { sato, hoshino, ito, maruyama } = people;
  // After the exchange Sato has tonight; Hoshino is the deputy.
  assert.equal(new Intl.DateTimeFormat('ja', { timeZone: 'Asia/Tokyo', weekday: 'short', hour: 'numeric', hourCycle: 'h23' }).format(Date.now()), '金 16時');
  const page = pages.sato;
  await page.goto(`${office.base}/duties/all/primary/${night(0).from}/ill`);
  await look(office, page, 'swap-ill');
  await page.getByRole('button', { name: '出られないと知らせる' }).click();
  await said(page, '代わりをお願いしています');
  assert.equal(await on(0, 'primary'), 'hoshino', 'the deputy has moved up');
  assert.equal(await on(0, 'deputy'), '-', 'and the place is open, visibly');
  await nextMail(office, hoshino, /先生が正です/);
  const mail = await nextMail(office, maruyama, /空いた当番/);
  await agree(maruyama, mail, 'link-hole', '引き受ける');
  assert.equal(await on(0, 'deputy'), 'maruyama');
  // Whoever comes second reads so.
  const late = await nextMail(office, ito, /空いた当番/);
  const other = await phoneOf(office);
  await other.goto(late.links[0]);
  await other.getByRole('heading', { name: 'ほかの先生がお引き受けくださいました' }).waitFor();
  await other.context().close();
  assert.ok(sato.key);
}, { vital: true });

await test('a duty is offered to all, and who presses first has it', async () => {
  const page = pages.sato;
  await page.goto(askPath(3));
  await card(page, 'form', 'pool');
  await page.getByRole('button', { name: 'お願いを送る' }).click();
  await said(page, 'お願いを送りました');
  const mail = await nextMail(office, people.suzuki, /当番の代わりのお願い/);
  await agree(people.suzuki, mail, 'link-pool', '引き受ける');
  assert.equal(await on(3, 'primary'), 'suzuki');
});

await test('the office sees what is open and what was agreed to, and acts for a doctor who phones', async () => {
  const page = pages.yamada = await deskOf(office);
  await signInOffice(office, page, people.yamada);
  await page.goto(`${office.base}/swaps`);
  assert.match(await words(page.locator('main')), /決まった交代/);
  await look(office, page, 'swaps-office');
  await page.goto(`${office.base}/people/${people.kawabe.id.replace('mem_', '')}/for/duties`);
  await look(office, page, 'duties-for');
  await page.goto(`${office.base}/people/${people.kawabe.id.replace('mem_', '')}/for/duties/all/primary/${night(2).from}`);
  await card(page, 'channel', 'phone');
  await card(page, 'form', 'give');
  await page.locator('#other').selectOption({ label: `${people.maruyama.name}（${people.maruyama.institution.name}）` });
  await page.getByRole('button', { name: 'お願いを送る' }).click();
  await said(page, 'お願いを送りました');
  // A clerk's entry is not the doctor's yes.
  const own = await nextMail(office, people.kawabe, /交代の確認のお願い/);
  await agree(people.kawabe, own, 'link-own', 'このとおりお願いする');
  const asked = await nextMail(office, people.maruyama, /当番の引き受けのお願い/);
  await agree(people.maruyama, asked, 'link-give', '引き受ける');
  assert.equal(await on(2, 'primary'), 'maruyama');
});

await test('a new rota that names another makes an agreed change void, and says so', async () => {
  const { hoshino, suzuki, sato } = people;
  await publish([[3, hoshino, people.ito]]);
  assert.equal(await on(3, 'primary'), 'hoshino');
  await nextMail(office, suzuki, /交代のお願いについて/);
  await nextMail(office, sato, /交代のお願いについて/);
  await pages.yamada.goto(`${office.base}/swaps`);
  await pages.yamada.getByRole('link', { name: /引き受け手を待つ/ }).first().click();
  assert.match(await words(pages.yamada.locator('main')), /当番表が変わり/);
  await look(office, pages.yamada, 'swap-void');
});

await test('where the coordinator must agree, nothing counts before that', async () => {
  const { sato, ito, hoshino, maruyama, suzuki } = people;
  await publish([[3, hoshino, ito], [5, sato, ito]]);
  const desk = pages.yamada;
  await desk.goto(`${office.base}/rota/settings`);
  await desk.locator('label.tick', { has: desk.locator('#coordinator') }).click();
  await desk.locator('form[action="/rota/settings"] button.main').click();
  await desk.locator('.notice').waitFor();
  assert.equal(await desk.locator('#coordinator').isChecked(), true);
  const page = pages.sato;
  await page.goto(askPath(5));
  await card(page, 'form', 'give');
  await page.locator('#other').selectOption({ label: `${maruyama.name}（${maruyama.institution.name}）` });
  await page.getByRole('button', { name: 'お願いを送る' }).click();
  await said(page, 'お願いを送りました');
  await agree(maruyama, await nextMail(office, maruyama, /当番の引き受けのお願い/), 'link-before-approval', '引き受ける');
  assert.equal(await on(5, 'primary'), 'sato', 'both sides have agreed, the coordinator has not');
  const mail = await nextMail(office, suzuki, /交代の承認のお願い/);
  await agree(suzuki, mail, 'link-approval', '承認する');
  assert.equal(await on(5, 'primary'), 'maruyama');
});

await test('the books are in order', async () => {
  await office.verify();
  await office.server.stop();
  office.database.drop();
});

await finish();
