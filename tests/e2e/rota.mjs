// The coordinator makes a month: a draft, filled, changed by keyboard, undone after a reload, a rule broken and told,
// published; the board shows it, to everybody without names. In the exercise, where the coordinator is one press away.

import assert from 'node:assert/strict';
import { axe, desktop, elderly, finish, phone, shot, startTouban, test } from './harness.mjs';

let demo, page, draft;
let number = 0;
const widths = [1280, 390, 320];

/** The page at the widths of a desk and two phones: measured, and kept as pictures. */
async function look(page, name) {
  number += 1;
  const before = page.viewportSize();
  for (const width of widths) {
    await page.setViewportSize({ width, height: 844 });
    await shot(page, `rota-${String(number).padStart(2, '0')}-${name}-${width}`);
    await axe(page);
    await elderly(page);
  }
  await page.setViewportSize(before);
}

const said = (page, text) => page.locator('.notice', { hasText: text }).waitFor();
const names = async (page) => (await page.locator('a.seat').allInnerTexts()).map((text) => text.replace(/\s+/g, ' ').trim());

await test('the coordinator of the exercise begins a draft of a week', async () => {
  demo = await startTouban({ args: ['demo', '--listen', '127.0.0.1:0'], readyMs: 30_000 });
  page = await desktop();
  await page.goto(`${demo.baseUrl}/demo`);
  await page.locator('form[action="/demo/as"] button[value="suzuki"]').last().click();
  await page.goto(`${demo.baseUrl}/rota`);
  await look(page, 'index');
  const form = page.locator('form[action="/rota"]');
  if (!(await form.isVisible())) await page.getByText('新しい下書き', { exact: true }).click();
  const first = new Date(Date.now() + 200 * 86_400_000);
  const day = (n) => new Date(first.getTime() + n * 86_400_000).toISOString().slice(0, 10);
  // Inside one month, so that the whole draft is seen at once.
  const start = day(0).slice(0, 8);
  await page.getByLabel('初めの日').fill(`${start}08`);
  await page.getByLabel('終わりの日').fill(`${start}14`);
  await page.getByRole('button', { name: '下書きを始める' }).click();
  await page.locator('table.grid').waitFor();
  draft = new URL(page.url()).pathname;
  assert.ok((await page.locator('a.seat-empty').count()) >= 14, 'every seat of the week is there and empty');
}, { vital: true });

await test('what is empty is filled after a look at what would be', async () => {
  await page.getByRole('link', { name: '空きを自動で埋める' }).click();
  await look(page, 'fill');
  await page.getByRole('button', { name: 'この内容で埋める' }).click();
  await said(page, '空きを埋めました');
  await look(page, 'filled');
}, { vital: true });

let before;
await test('a seat is opened by arrows and Enter, and somebody else is put there by the keyboard alone', async () => {
  before = await names(page);
  const seats = page.locator('a.seat');
  await seats.first().focus();
  await page.keyboard.press('ArrowRight');
  await page.keyboard.press('ArrowLeft');
  assert.equal(await seats.first().evaluate((seat) => seat === document.activeElement), true, 'there and back');
  await page.keyboard.press('Enter');
  await page.locator('#panel').waitFor();
  await look(page, 'seat');
  const other = page.locator('button.candidate:not([aria-pressed])').first();
  const letter = await other.getAttribute('data-letter');
  const name = (await other.locator('.candidate-name').innerText()).split(/\s/)[0];
  await page.locator('#panel').focus();
  for (let press = 0; press < 20; press += 1) {
    await page.keyboard.press(letter);
    if (await other.evaluate((button) => button === document.activeElement)) break;
  }
  assert.equal(await other.evaluate((button) => button === document.activeElement), true, 'the letter leads there');
  await page.keyboard.press('Enter');
  await page.waitForFunction(([n, was]) => document.querySelectorAll('a.seat')[0]?.innerText.includes(n)
    && document.querySelectorAll('a.seat')[0].innerText !== was, [name, before[0]]);
}, { vital: true });

await test('it is undone, also after a reload, and done again', async () => {
  await page.goto(`${demo.baseUrl}${draft}`);
  await page.locator('a.seat').first().focus();
  await page.keyboard.press('Control+z');
  await said(page, '元に戻しました');
  assert.deepEqual(await names(page), before);
  await page.getByRole('button', { name: /^やり直す/ }).click();
  await said(page, 'やり直しました');
  assert.notDeepEqual(await names(page), before);
}, { vital: true });

await test('a broken rule says who, when and which, and leads to its seat', async () => {
  // The one on duty as primary is put in as deputy too, against the rule.
  await page.locator('a.seat').nth(1).click();
  await page.locator('#panel').waitFor();
  const held = (await page.locator('a.seat').first().innerText()).match(/正\s*(\S+)/)[1];
  const row = page.locator('#panel li.cannot', { hasText: held }).first();
  assert.match(await row.innerText(), /二つの役割|同じ医療機関/);
  await row.getByRole('button', { name: /それでも入れる/ }).click();
  const line = page.locator('.violations li', { hasText: held }).first();
  await line.waitFor();
  await look(page, 'violation');
  await line.getByRole('link').click();
  assert.match(page.url(), /seat=/);
  await page.goto(`${demo.baseUrl}${draft}`);
  await page.getByRole('button', { name: /^元に戻す/ }).click();
  await said(page, '元に戻しました');
}, { vital: true });

await test('publishing tells first whom it concerns, and then it is the rota', async () => {
  await page.getByRole('link', { name: '確定して知らせる' }).click();
  await look(page, 'publish');
  assert.ok((await page.locator('h2', { hasText: 'お知らせする方' }).count()) === 1);
  const accept = page.getByLabel(/確かめました/);
  if (await accept.count()) await accept.check();
  await page.getByRole('button', { name: '公開する' }).click();
  await said(page, '公開しました');
  await look(page, 'published');
  await page.goto(`${demo.baseUrl}${draft}`);
  assert.equal(await page.locator('form[data-key="undo"]').count(), 0, 'what was published is not edited');
}, { vital: true });

await test('the board has it at that moment, with names for the office and without for everybody', async () => {
  await page.goto(`${demo.baseUrl}/duty`);
  await look(page, 'board');
  const day = await page.evaluate(async (path) => {
    const text = await (await fetch(path)).text();
    return text.match(/seat=(\d{4}-\d\d-\d\d)\//)[1];
  }, draft);
  await page.goto(`${demo.baseUrl}/duty?day=${day}&time=19:00`);
  assert.ok((await page.locator('.duty-card .person-name').count()) >= 2, 'primary and deputy');
  await look(page, 'board-then');
  const guest = await phone();
  await guest.goto(`${demo.baseUrl}/public/aoba/duty`);
  assert.equal(await guest.locator('.duty-place').count(), 0, 'nobody is named');
  assert.equal(await guest.locator('main a[href^="tel:09"]').count(), 0, 'no mobile numbers');
  await look(guest, 'public');
  const wall = await desktop();
  await wall.goto(`${demo.baseUrl}/public/aoba/duty?view=wall`);
  await shot(wall, 'rota-wall');
});

await test('the part that changes is asked for by its name and answered by 304 when it is the same', async () => {
  const seen = await page.evaluate(async () => {
    const first = await fetch('/duty?as=named', { headers: { 'HX-Request': 'true' } });
    const tag = first.headers.get('etag');
    const again = await fetch('/duty?as=named', { headers: { 'HX-Request': 'true', 'If-None-Match': tag }, cache: 'no-store' });
    return { tag, status: again.status, body: (await first.text()).slice(0, 20) };
  });
  assert.match(seen.tag, /^"[0-9a-f]{20}"$/);
  assert.match(seen.body.trim(), /^<div id="live"/);
  // The minute may have changed between the two.
  assert.ok([200, 304].includes(seen.status));
});

await test('wishes: the office opens a collection, types for somebody, and sees who is silent', async () => {
  await page.goto(`${demo.baseUrl}/rota/wishes`);
  const day = (n) => new Date(Date.now() + n * 86_400_000).toISOString().slice(0, 10);
  await page.getByLabel('当番の初めの日').fill(day(240));
  await page.getByLabel('当番の終わりの日').fill(day(260));
  await page.getByLabel('締め切りの日').fill(day(30));
  await page.getByRole('button', { name: '受け付けを始める' }).click();
  await look(page, 'round');
  const silent = await page.locator('.state', { hasText: /^まだ$/ }).count();
  await page.getByRole('link', { name: /代わりに入力/ }).first().click();
  await page.locator('.wish-days select').first().selectOption('no');
  await look(page, 'sheet');
  await page.getByRole('button', { name: 'この希望を送る' }).click();
  await said(page, '希望を受け取りました');
  assert.equal(await page.locator('.state', { hasText: /^まだ$/ }).count(), silent - 1);
});

await test('changes, holes, counts, the year and settings are there', async () => {
  for (const [path, name] of [['changes', 'changes'], ['holes', 'holes'], ['counts', 'counts'], ['year', 'year'], ['settings', 'settings'], ['settings/slots', 'slots']]) {
    await page.goto(`${demo.baseUrl}/rota/${path}`);
    await look(page, name);
  }
  await page.getByLabel('内容（TOML）').fill('[[slot]]\nkind = "x"\n');
  await page.getByRole('button', { name: 'この内容にする' }).click();
  await page.locator('.notice.bad', { hasText: '行目' }).waitFor();
});

await test('a doctor opens the sheet of wishes by the link of the mail, and sees the own duties', async () => {
  const handset = await phone();
  await handset.goto(`${demo.baseUrl}/demo/mailbox`);
  await handset.getByRole('link', { name: /当番の希望をお聞かせください/ }).first().click();
  const link = await handset.locator('a[href*="/k#"]').first().getAttribute('href');
  await handset.goto(link);
  await handset.locator('.wish-days select').first().waitFor();
  await look(handset, 'wishes-by-link');
  await handset.locator('.wish-days select').first().selectOption('no');
  await handset.getByRole('button', { name: 'この希望を送る' }).click();
  // Without the PIN nothing is taken, and what was chosen stays.
  await handset.locator('#pin-problem').waitFor();
  assert.equal(await handset.locator('.wish-days select').first().inputValue(), 'no');
  await look(handset, 'wishes-without-pin');
  await page.goto(`${demo.baseUrl}/demo`);
  await page.locator('form[action="/demo/as"] button[value="sato"]').last().click();
  await page.goto(`${demo.baseUrl}/duties`);
  await page.locator('#remind_eve').fill('夕方');
  await page.locator('form[action="/me/reminders"] button.main').click();
  await page.locator('#remind_eve-problem').waitFor();
  await look(page, 'duties-reminders-wrong');
  await page.locator('#remind_eve').fill('20:00');
  await page.locator('form[action="/me/reminders"] button.main').click();
  await said(page, 'お知らせメールの時刻を保存しました');
  await look(page, 'duties-reminders');
});

await finish();
