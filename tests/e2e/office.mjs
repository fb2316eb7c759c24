// The association of the journeys: its settings and people, its mail, and how somebody signs in. All through what an
// administrator has: the settings file and the commands of touban.

import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { createHmac, randomBytes } from 'node:crypto';
import { writeFileSync } from 'node:fs';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { keep, plantPin } from './canaries.mjs';
import { makeDatabase } from './databases.mjs';
import { axe, binary, desktop, elderly, phone, readMail, shot, startTouban, temporaryFolder, until } from './harness.mjs';

const run = promisify(execFile);
const smtp = (name) => {
  const value = process.env[`TOUBAN_TEST_SMTP_${name}`];
  if (!value) throw new Error(`TOUBAN_TEST_SMTP_${name} is not set; scripts/test e2e_sqlite starts a mail server and sets it`);
  return value;
};

/** The settings: the database and the mail server are all that differs between an office and this run. */
function settings(databaseUrl) {
  return `
listen = "127.0.0.1:0"
[database]
url = ${JSON.stringify(databaseUrl)}
[mail]
kind = "smtp"
from = "青葉市医師会 在宅当番 <touban@example.jp>"
[mail.smtp]
host = ${JSON.stringify(smtp('HOST'))}
port = ${smtp('PORT')}
security = "starttls"
username = ${JSON.stringify(smtp('USER'))}
password = ${JSON.stringify(smtp('PASSWORD'))}
ca_file = ${JSON.stringify(smtp('CA'))}
[tariffs]
file = ${JSON.stringify(path.resolve(fileURLToPath(import.meta.url), '../../../config/tariffs.toml'))}
[log]
# Everything that can be said is said, so that what must not be said would be seen.
level = "debug"
# The robot is one client and does in a minute what no person does in a day. It shall not be stopped by limits: then
# nothing would be learnt about what is behind them.
[limits]
signin_per_minute_per_ip = 60000
pin_per_minute_per_ip = 60000
answer_per_minute_per_ip = 60000
create_per_minute_per_ip = 60000
guesses_per_hour_total = 100000
create_per_hour_total = 100000
[metrics]
listen = "127.0.0.1:0"
`;
}

// Three dermatologists are asked first, in the order in which they joined; the fourth comes into the second round.
const people = {
  sato: { name: '佐藤 義男', kana: 'さとう よしお', at: 'sato', roles: ['physician'], phone: '050-0000-3101' },
  ito: { name: '伊藤 恵子', kana: 'いとう けいこ', at: 'ito', roles: ['physician', 'specialist'], skin: { visits: true }, phone: '050-0000-3102' },
  kawabe: { name: '川辺 学', kana: 'かわべ まなぶ', at: 'kawabe', roles: ['physician', 'specialist'], skin: { visits: true }, phone: '050-0000-3103' },
  hoshino: { name: '星野 一', kana: 'ほしの はじめ', at: 'hoshino', roles: ['physician', 'specialist'], skin: { visits: true }, phone: '050-0000-3104' },
  maruyama: { name: '丸山 直樹', kana: 'まるやま なおき', at: 'maruyama', roles: ['physician', 'specialist'], skin: { visits: true }, phone: '050-0000-3105' },
  suzuki: { name: '鈴木 健一', kana: 'すずき けんいち', at: 'suzuki', roles: ['physician', 'coordinator'], phone: '050-0000-3106' },
  kanri: { name: '管理 太郎', kana: 'かんり たろう', at: 'office', roles: ['administrator'], phone: '050-0000-3108' },
  yamada: { name: '山田 和子', kana: 'やまだ かずこ', at: 'office', roles: ['clerk'], phone: '050-0000-3107' },
};

const institutions = {
  sato: { name: '佐藤医院', kind: 'home_care_clinic', area: '緑町' },
  ito: { name: '青葉中央皮膚科', kind: 'clinic', area: '青葉中央' },
  kawabe: { name: '川辺皮膚科', kind: 'clinic', area: '青葉北' },
  hoshino: { name: '星野皮フ科クリニック', kind: 'clinic', area: '青葉南' },
  maruyama: { name: '丸山皮膚科医院', kind: 'clinic', area: '桜が丘' },
  suzuki: { name: '鈴木内科クリニック', kind: 'clinic', area: '青葉北' },
  office: { name: '医師会事務局', kind: 'association', area: '青葉中央' },
};

/**
 * Sets the association up with commands and starts touban. `kind`: sqlite or postgres. `shift`: milliseconds by which
 * the clocks of its programs are ahead; the service has none that could be set, so its system's is.
 */
export async function openOffice(kind, { shift } = {}) {
  const office = begin(kind);
  if (shift !== undefined) office.env = clockAhead(shift);
  await touban(office, ['migrate']);
  await seed(office);
  await start(office);
  return office;
}

function clockAhead(shift) {
  const library = process.env.TOUBAN_TEST_FAKETIME;
  if (!library) throw new Error('TOUBAN_TEST_FAKETIME is not set; scripts/test e2e_sqlite installs libfaketime and sets it');
  return { LD_PRELOAD: library, FAKETIME: `+${(shift / 1_000).toFixed(3)}s`, FAKETIME_DONT_FAKE_MONOTONIC: '1' };
}

/** Starts touban on an empty database, as a newcomer does. */
export async function openEmpty(kind) {
  const office = begin(kind);
  office.isNew = true;
  await start(office);
  return office;
}

function begin(kind) {
  const folder = temporaryFolder();
  const database = makeDatabase(kind, folder);
  const config = settings(database.url);
  const file = path.join(folder, 'touban.toml');
  writeFileSync(file, config, { mode: 0o600 });
  // Addresses of this run alone: the mailbox is shared with other runs.
  const mark = `r${randomBytes(4).toString('hex')}`;
  return { kind, folder, file, config, database, mark, people: {}, addresses: [], pages: [] };
}

async function start(office) {
  const server = await startTouban({ config: office.config, folder: office.folder, env: office.env });
  office.server = server;
  office.base = server.baseUrl;
  office.metrics = `http://${server.ready.metrics}/metrics`;
  // All it says, from the first line on; the harness keeps only the end.
  office.said = [server.log()];
  for (const stream of [server.process.stdout, server.process.stderr]) stream.on('data', (text) => office.said.push(text));
  office.state = () => stateOf(office);
  office.verify = () => touban(office, ['verify']);
}

/** Runs a command of touban as an administrator would and returns its report. What is secret goes in by `input`. */
export async function touban(office, words, { input } = {}) {
  const env = { ...process.env, ...office.env };
  const child = run(binary(), [...words, '--config', office.file, '--json'], { cwd: office.folder, env });
  child.child.stdin.end(input ?? '');
  const { stdout } = await child;
  return JSON.parse(stdout);
}

async function seed(office) {
  const at = ['--association', 'aoba'];
  await touban(office, ['admin', 'create-association', '--code', 'aoba', '--name', '青葉市医師会', '--office-phone', '042-000-0000']);
  const places = {};
  for (const [key, { name, kind, area }] of Object.entries(institutions)) {
    await touban(office, ['admin', 'create-institution', ...at, '--name', name, '--kind', kind, '--area', area]);
    keep('name', `the name of the clinic of ${key}`, name);
    places[key] = { name };
  }
  for (const [key, person] of Object.entries(people)) {
    const address = `${key}.${office.mark}@example.jp`;
    const pin = plantPin(`the PIN of ${key}`);
    const options = ['--name', person.name, '--kana', person.kana, '--email', address, '--phone', person.phone,
      '--institution', institutions[person.at].name, ...person.roles.flatMap((role) => ['--role', role])];
    if (person.skin) options.push('--specialty', 'dermatology:visit');
    await touban(office, ['admin', 'create-member', ...at, ...options, '--pin-stdin'], { input: `${pin}\n` });
    keep('name', `the name of ${key}`, person.name);
    keep('clinical', `the number of ${key}`, person.phone);
    office.people[key] = { key, name: person.name, phone: person.phone, address, pin, institution: places[person.at] };
  }
  const key = await touban(office, ['admin', 'create-key', ...at, '--label', 'journey', '--scope', 'read', '--scope', 'audit']);
  office.key = key.secret;
  keep('secret', 'the key of the API', key.secret);
}

/**
 * Everything a program may read of the requests, the offers and the audit; without the observation that somebody has
 * looked, which is no state: it is noted when a link opens, whoever opened it.
 */
async function stateOf(office) {
  const state = {};
  for (const list of ['requests', 'offers', 'events']) {
    const response = await fetch(`${office.base}/api/v1/${list}`, { headers: { authorization: `Bearer ${office.key}` } });
    assert.equal(response.status, 200, list);
    const { items, next } = await response.json();
    assert.equal(next, null, 'one page holds all');
    assert.ok(items.length > 0, list);
    state[list] = items.filter((item) => item.action !== 'offer.opened').map((item) => ({ ...item, opened_at: null, hash: null, seq: null }));
  }
  return state;
}

// ------------------------------------------------------------------------------------------- looking

/** Notes every address this person's browser asks for, and what it says where it came from. */
export function watchAddresses(office, page) {
  if (office.pages.includes(page.context())) return page;
  office.pages.push(page.context());
  page.context().on('request', (request) => {
    // What follows the # stays in the browser; it is here only because the driver knows it.
    const from = request.headers().referer ?? '';
    office.addresses.push(`${request.method()} ${request.url().split('#')[0]} ${from}`);
  });
  return page;
}

/** A new person's browser: `office.desk()`, `office.handy()`. */
export const deskOf = async (office, options) => watchAddresses(office, await desktop(options));
export const phoneOf = async (office, options) => watchAddresses(office, await phone(options));

/** Measures the page as it stands and photographs it. */
export async function look(office, page, name) {
  office.shots = (office.shots ?? 0) + 1;
  await shot(page, `${office.kind}-${String(office.shots).padStart(2, '0')}-${name}`);
  await axe(page);
  await elderly(page);
  // Everywhere: the office's number as a link, as soon as there is an office; and 119.
  if (!office.isNew) assert.equal(await page.locator('footer a[href^="tel:"]').count(), 1, 'the number of the office');
  assert.match(await page.locator('footer').innerText(), /119/);
}

/** Waits for what is said once after a step. */
export const said = (page, text) => page.locator('.notice', { hasText: text }).waitFor();

/** What a reader sees, without line breaks. */
export const words = async (locator) => (await locator.innerText()).replace(/\s+/g, ' ');

// ---------------------------------------------------------------------------------------------- mail

/** All mails of this run, oldest first. */
export const allMail = (office) => readMail(smtp('MAILDIR')).filter((mail) => mail.to.some((to) => to.includes(office.mark)));

/** Waits for the next mail to this person whose subject fits; each mail is met once. Its token and code are noted. */
export async function nextMail(office, person, subject) {
  office.met ??= new Set();
  const mail = await until(`a mail to ${person.key} with ${subject}`, () => allMail(office)
    .find((m) => !office.met.has(m.file) && m.to.includes(person.address) && subject.test(m.subject)), { everyMs: 150 });
  office.met.add(mail.file);
  keepSecrets(mail);
  return mail;
}

/** A token may stand in the mail that brings it, and nowhere else. */
export function keepSecrets(mail) {
  for (const link of mail.links) {
    const token = link.split('#')[1];
    if (token) keep('secret', `the token of "${mail.subject}"`, token, mail.file);
  }
  const code = codeOf(mail);
  if (code) keep('secret', `the code of "${mail.subject}"`, code, mail.file);
}

export const codeOf = (mail) => mail.text.match(/\b[0-9A-Z]{4}-[0-9A-Z]{4}-[0-9A-Z]{4}\b/)?.[0];

// -------------------------------------------------------------------------------------------- signing in

/** Types the address and waits for the mail with the link. */
export async function askForLink(office, page, person) {
  await page.goto(`${office.base}/sign-in`);
  await page.locator('#address').fill(person.address);
  await page.getByRole('button', { name: 'リンクを送る' }).click();
  await page.getByRole('heading', { name: 'メールをご覧ください', level: 1 }).waitFor();
  return nextMail(office, person, /在宅当番のページを開くリンク/);
}

/** From the link of the mail to the first page: the second factor is the PIN. */
export async function enterPin(page, person) {
  await page.locator('#pin').fill(person.pin);
  await page.getByRole('button', { name: '入る' }).click();
  await page.locator('nav.menu').waitFor();
}

/** Signs in without looking around. */
export async function signIn(office, page, person) {
  const mail = await askForLink(office, page, person);
  await page.goto(mail.links[0]);
  await enterPin(page, person);
  return mail;
}

/** Cookies that open something: as good as a key, so they are kept like one. */
export async function keepCookies(page, person) {
  for (const cookie of await page.context().cookies()) {
    if (cookie.value.length >= 20) keep('secret', `the cookie ${cookie.name} of ${person.key}`, cookie.value);
  }
}

// ------------------------------------------------------------------------------------- the office signs in

/** The code an authenticator app shows: RFC 6238 with a secret in base 32. */
export function oneTimeCode(letters, at = Date.now(), stepsAhead = 0) {
  const digits = 'ABCDEFGHIJKLMNOPQRSTUVWXYZ234567';
  const bits = [...letters.replaceAll(' ', '')].map((c) => digits.indexOf(c).toString(2).padStart(5, '0')).join('');
  const secret = Buffer.from(bits.match(/.{8}/g).map((byte) => Number.parseInt(byte, 2)));
  const counter = Buffer.alloc(8);
  counter.writeBigUInt64BE(BigInt(Math.floor(at / 30_000) + stepsAhead));
  const hash = createHmac('sha1', secret).update(counter).digest();
  const from = hash[19] & 15;
  return String((hash.readUInt32BE(from) & 0x7fffffff) % 1_000_000).padStart(6, '0');
}

/** A link to set up how somebody of the office signs in, as an administrator prints it. */
export async function staffLink(office, person) {
  const made = await touban(office, ['admin', 'staff-link', '--association', 'aoba', '--member', person.address]);
  keep('secret', `the token of the link of ${person.key}`, made.link.split('#')[1]);
  return made;
}

/** Goes through such a link to the page where means are set up. */
export async function throughStaffLink(office, page, person) {
  const { link, needs_pin } = await staffLink(office, person);
  // The command does not know which free port the service took.
  await page.goto(`${office.base}/k#${link.split('#')[1]}`);
  await page.getByRole('heading', { name: '入る手だての登録', level: 1 }).waitFor();
  if (needs_pin === 'yes') await page.locator('#pin').fill(person.pin);
  await page.getByRole('button', { name: '登録へ進む' }).click();
  await page.getByRole('heading', { name: '入る手だてを登録する', level: 1 }).waitFor();
}

/** Sets up a password and an authenticator app; the person then has `password`, `letters` and `codes`. */
export async function setUpPassword(office, page, person, see = async () => {}) {
  person.password ??= `kettle ${randomBytes(6).toString('hex')} marble`;
  keep('secret', `the password of ${person.key}`, person.password);
  await page.getByRole('button', { name: 'パスワードと認証アプリを登録する' }).click();
  await page.locator('#letters').waitFor();
  person.letters = await page.locator('#letters').innerText();
  keep('secret', `the one-time codes of ${person.key}`, person.letters.replaceAll(' ', ''));
  await see('password-app');
  await page.locator('#code').fill(oneTimeCode(person.letters, Date.now(), -1));
  await page.locator('#password').fill(person.password);
  await page.getByRole('button', { name: '登録する' }).click();
  await page.locator('ol.codes').waitFor();
  person.codes = await page.locator('ol.codes li').allInnerTexts();
  for (const code of person.codes) keep('secret', `a recovery code of ${person.key}`, code);
  await see('recovery-codes');
  await page.getByRole('link', { name: '控えました' }).click();
  await page.locator('nav.menu').waitFor();
}

/** Signs somebody of the office in; the first time they set up password and app behind a link. */
export async function signInOffice(office, page, person) {
  if (!person.letters) {
    await throughStaffLink(office, page, person);
    await setUpPassword(office, page, person);
    return;
  }
  await enterPassword(office, page, person);
  await page.locator('nav.menu').waitFor();
}

/** Types address, password and the code of now; each code counts once, so a second sign-in takes the next one. */
export async function enterPassword(office, page, person) {
  await page.goto(`${office.base}/sign-in/office`);
  await page.locator('#address').fill(person.address);
  await page.locator('#password').fill(person.password);
  person.step = Math.max((person.step ?? 0) + 1, Math.floor(Date.now() / 30_000));
  // A code of the future beyond the next one is not taken: wait until it is near.
  await until('the step of the next code', () => person.step <= Math.floor(Date.now() / 30_000) + 1, { timeoutMs: 90_000, everyMs: 500 });
  await page.locator('#code').fill(oneTimeCode(person.letters, person.step * 30_000));
  await page.locator('form[action="/sign-in/office"]').getByRole('button', { name: '入る' }).click();
}
