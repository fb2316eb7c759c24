// How the office signs in, in a real browser: a passkey in the browser's own virtual authenticator, a password with an
// authenticator app, the proof asked for again, sessions, and the way back for whoever lost everything.

import assert from 'node:assert/strict';
import { keep, leaks } from './canaries.mjs';
import { expectComplaint, finish, smallPhone, test, until } from './harness.mjs';
import {
  allMail, deskOf, enterPassword, keepCookies, keepSecrets, look, nextMail, oneTimeCode, openOffice, said, setUpPassword,
  signIn, signInOffice, throughStaffLink, watchAddresses, words,
} from './office.mjs';

let office, yamada, suzuki, kanri;
const desk = {};
const see = (page) => (name) => look(office, page, `signin-${name}`);

/** Plugs an authenticator into this browser, whose owner is there and shows finger or face. */
async function plugIn(page) {
  const cdp = await page.context().newCDPSession(page);
  await cdp.send('WebAuthn.enable');
  const { authenticatorId } = await cdp.send('WebAuthn.addVirtualAuthenticator', {
    options: {
      protocol: 'ctap2', transport: 'internal', hasResidentKey: true, hasUserVerification: true, isUserVerified: true,
      automaticPresenceSimulation: true,
    },
  });
  const set = (isUserVerified) => cdp.send('WebAuthn.setUserVerified', { authenticatorId, isUserVerified });
  const all = () => cdp.send('WebAuthn.getCredentials', { authenticatorId });
  return { set, all };
}

const passkeyForm = (page) => page.locator('form[data-passkey]');

await test('an association is set up with commands', async () => {
  office = await openOffice(process.env.TOUBAN_E2E_DATABASE ?? 'sqlite');
  ({ yamada, suzuki, kanri } = office.people);
}, { vital: true });

await test('the first administrator sets up a passkey behind the printed link', async () => {
  const page = desk.kanri = await deskOf(office);
  desk.key = await plugIn(page);
  await throughStaffLink(office, page, kanri);
  await see(page)('first');
  await page.locator('#label').fill('受付のパソコン');
  await page.getByRole('button', { name: 'パスキーを登録する' }).click();
  await page.locator('ol.codes').waitFor();
  kanri.codes = await page.locator('ol.codes li').allInnerTexts();
  assert.equal(kanri.codes.length, 10);
  for (const code of kanri.codes) keep('secret', 'a recovery code of kanri', code);
  assert.equal((await desk.key.all()).credentials.length, 1);
  await page.getByRole('link', { name: '控えました' }).click();
  await page.getByText('受付のパソコン').waitFor();
  await see(page)('means');
  await keepCookies(page, kanri);
}, { vital: true });

await test('the passkey signs in by one press, and not where its owner is not verified', async () => {
  const page = desk.kanri;
  await page.getByRole('button', { name: '終わる' }).click();
  await page.goto(`${office.base}/sign-in`);
  await page.getByRole('link', { name: '事務局の方はこちら' }).click();
  await see(page)('office');
  await desk.key.set(false);
  await page.getByRole('button', { name: 'パスキーで入る' }).click();
  await passkeyForm(page).locator('[data-problem]').waitFor();
  await see(page)('office-refused');
  await desk.key.set(true);
  await page.getByRole('button', { name: 'パスキーで入る' }).click();
  await page.waitForURL(`${office.base}/board`);
  await keepCookies(page, kanri);
});

await test('a colleague is invited by mail and sets up a password with an app', async () => {
  const page = desk.kanri;
  await page.goto(`${office.base}/settings/staff`);
  await see(page)('staff');
  await page.getByRole('link', { name: new RegExp(yamada.name) }).click();
  await see(page)('staff-person');
  await page.getByRole('button', { name: '登録のリンクを送る' }).click();
  await said(page, '登録のリンクを送りました');
  const mail = await nextMail(office, yamada, /入る手だての登録/);
  assert.deepEqual(mail.defects, []);
  const hers = desk.yamada = await deskOf(office);
  await hers.goto(mail.links.find((link) => link.includes('#')));
  await hers.getByRole('heading', { name: '入る手だての登録', level: 1 }).waitFor();
  await see(hers)('setup-link');
  await hers.locator('#pin').fill(yamada.pin);
  await hers.getByRole('button', { name: '登録へ進む' }).click();
  await hers.getByRole('heading', { name: '入る手だてを登録する', level: 1 }).waitFor();
  await setUpPassword(office, hers, yamada, see(hers));
  await hers.goto(`${office.base}/board`);
  await hers.getByRole('heading', { level: 1 }).waitFor();
  await keepCookies(hers, yamada);
}, { vital: true });

await test('she signs in elsewhere with password and code, and the code counts once', async () => {
  const page = desk.second = await deskOf(office, { javaScriptEnabled: false });
  await enterPassword(office, page, yamada);
  await page.waitForURL(`${office.base}/board`);
  await keepCookies(page, yamada);
  const other = await deskOf(office);
  await other.goto(`${office.base}/sign-in/office`);
  await other.locator('#address').fill(yamada.address);
  await other.locator('#password').fill(yamada.password);
  await other.locator('#code').fill(oneTimeCode(yamada.letters, yamada.step * 30_000));
  await other.locator('form[action="/sign-in/office"]').getByRole('button', { name: '入る' }).click();
  await other.getByText('入れませんでした').waitFor();
  assert.equal(await other.locator('#password').inputValue(), '', 'the password is not sent back');
  await see(other)('wrong');
  await other.context().close();
});

await test('she sees where she is signed in, and ends one of them', async () => {
  const page = desk.yamada;
  await page.goto(`${office.base}/me/sessions`);
  await see(page)('sessions');
  await page.locator('form[action$="/end"] button').first().click();
  await said(page, '終わらせました');
  await desk.second.goto(`${office.base}/board`);
  assert.match(desk.second.url(), /sign-in/);
});

await test('a coordinator who came by link and PIN is shown the way to the work of the office', async () => {
  expectComplaint(/404/);
  const page = await deskOf(office);
  await signIn(office, page, suzuki);
  await page.goto(`${office.base}/consults`);
  await see(page)('by-pin');
  assert.equal((await page.goto(`${office.base}/board`)).status(), 404);
  await page.locator('nav.menu').getByRole('link', { name: '事務局の仕事をする' }).click();
  await page.getByRole('heading', { name: '事務局の仕事に入る', level: 1 }).waitFor();
  await signInOffice(office, page, suzuki);
  await page.goto(`${office.base}/board`);
  await page.getByRole('heading', { name: '進みぐあい', level: 1 }).waitFor();
  await keepCookies(page, suzuki);
  await page.context().close();
});

await test('who lost everything asks with a printed code, and a mail tells everybody who watches', async () => {
  const page = desk.lost = await smallPhone();
  watchAddresses(office, page);
  await page.goto(`${office.base}/sign-in/lost`);
  await see(page)('lost');
  await page.locator('#address').fill(yamada.address);
  await page.locator('#code').fill(yamada.codes[0].toLowerCase());
  await page.getByRole('button', { name: 'つくり直しを頼む' }).click();
  await page.getByRole('heading', { name: '受け付けました', level: 1 }).waitFor();
  await see(page)('lost-sent');
  desk.notice = await nextMail(office, yamada, /つくり直しが頼まれました/);
  await nextMail(office, kanri, /つくり直しが頼まれました/);
}, { vital: true });

await test('the administrator confirms who it is, after showing the passkey once more', async () => {
  const page = desk.kanri;
  await page.goto(`${office.base}/settings/staff`);
  await page.getByRole('link', { name: new RegExp(yamada.name) }).click();
  await see(page)('staff-recovery');
  await page.getByRole('button', { name: '本人だと確かめました' }).click();
  await said(page, '確認しました');
  await see(page)('staff-vouched');
});

await test('she says that it was not her, and it goes no further', async () => {
  const page = await deskOf(office);
  await page.goto(desk.notice.links.find((link) => link.includes('#')));
  await page.getByRole('heading', { name: 'つくり直しを止める', level: 1 }).waitFor();
  await see(page)('stop');
  await page.getByRole('button', { name: 'つくり直しを止める' }).click();
  await page.getByRole('heading', { name: '止めました', level: 1 }).waitFor();
  await see(page)('stopped');
  await desk.kanri.reload();
  assert.doesNotMatch(await words(desk.kanri.locator('main')), /本人を確認しました/);
  await page.context().close();
});

await test('the same pages speak English', async () => {
  const page = desk.kanri;
  await page.goto(`${office.base}/me/sign-in`);
  await page.getByRole('button', { name: 'English' }).click();
  await page.getByRole('heading', { name: 'How you sign in', level: 1 }).waitFor();
  await see(page)('means-en');
  await page.goto(`${office.base}/settings/staff`);
  await see(page)('staff-en');
});

await test('no password, secret, code or cookie stands in a mail, the log, an address or the database', async () => {
  const mails = allMail(office);
  for (const mail of mails) keepSecrets(mail);
  const written = (m) => [m.subject, m.from, m.text, m.html].join('\n');
  const found = leaks([
    ...mails.map((m) => ({ kind: 'mail', place: m.file, bytes: written(m) })),
    { kind: 'log', place: 'the log', bytes: office.said.join('\n') },
    { kind: 'address', place: 'the addresses', bytes: office.addresses.join('\n') },
    ...office.database.texts().map((t) => ({ kind: 'database', ...t })),
  ]);
  assert.deepEqual(found, []);
  await until('the books', () => office.verify());
  await office.server.stop();
  office.database.drop();
});

await finish();
