// A newcomer opens the phones of `touban demo` and is told nothing: whoever presses the button that stands out on
// whatever phone has one ends up with a nurse and a physician who talk. Then the same at the size of a phone, with a
// physician who does not answer.

import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { axe, desktop, elderly, finish, phone, shot, startTouban, temporaryFolder, test } from './harness.mjs';

let demo, page;
let number = 0;

async function look(page, name) {
  number += 1;
  await shot(page, `calls-${String(number).padStart(2, '0')}-${name}`);
  await axe(page);
  await elderly(page);
}

const talking = (page) => page.locator('li.box.done');

/** Presses what stands out, again and again, until two phones talk; what was pressed. */
async function follow(page, otherwise = async () => false) {
  const pressed = [];
  for (let step = 0; step < 120; step += 1) {
    if (await talking(page).count() === 2) return pressed;
    if (await otherwise(pressed)) continue;
    const button = page.locator('#live .button.main').first();
    if (await button.count() === 0) {
      await page.waitForTimeout(500);
      continue;
    }
    // The page changes by itself each second: what was there a moment ago may be gone.
    const text = (await button.innerText({ timeout: 1_000 }).catch(() => '')).trim();
    const done = await button.click({ timeout: 2_000 }).then(() => true, () => false);
    if (done) pressed.push(text);
    if (done && [1, 3, 6].includes(pressed.length)) await look(page, `step-${pressed.length}`);
    await page.waitForTimeout(300);
  }
  assert.fail(`nobody talks after ${JSON.stringify(pressed)}: ${await page.locator('main').innerText()}`);
}

async function hangUp(page) {
  await talking(page).first().locator('.button.danger').click();
  await page.locator('#live .button.main[value=dial]').waitFor();
}

await test('the demo is ready, and its strip leads to the phones', async () => {
  const sounds = temporaryFolder();
  execFileSync(fileURLToPath(new URL('../../scripts/prompts', import.meta.url)), [sounds], { stdio: 'inherit' });
  demo = await startTouban({ args: ['demo', '--listen', '127.0.0.1:0', '--sounds', sounds], readyMs: 60_000 });
  page = await desktop();
  await page.goto(`${demo.baseUrl}/demo`);
  await page.locator('nav.demo-strip').getByRole('link', { name: '電話' }).click();
  await page.getByRole('heading', { level: 1, name: '電話' }).waitFor();
  await look(page, 'begin');
}, { vital: true });

await test('pressing what stands out, and nothing else, connects a nurse with a physician', async () => {
  const begun = Date.now();
  const pressed = await follow(page);
  console.log(`# ${pressed.length} presses, ${Date.now() - begun} ms: ${pressed.join(' / ')}`);
  await look(page, 'talking');
  assert.ok(pressed.length <= 12, `too many steps: ${pressed}`);
  await hangUp(page);
  await look(page, 'over');
}, { vital: true });

await test('the physician who talked dials in from the same phone, and the keypad takes the report', async () => {
  const ended = page.locator('section[aria-labelledby="h-over"] li').filter({ has: page.locator('button[value=redial]') });
  await ended.first().getByRole('button', { name: 'この電話から夜間の番号にかける' }).click();
  for (const [key, word] of [['1', '報告する'], [null, '暗証番号'], ['1', '電話で対応']]) {
    const way = page.locator('#live .button.main').filter({ hasText: word });
    await way.first().waitFor();
    await look(page, `report-${key ?? 'pin'}`);
    await way.first().click();
  }
  await page.getByText('報告を承りました').waitFor();
  await look(page, 'reported');
  const clerk = await desktop();
  await clerk.goto(`${demo.baseUrl}/demo`);
  await clerk.getByRole('button', { name: '山田 和子 さんとして始める' }).click();
  await clerk.goto(`${demo.baseUrl}/calls`);
  await look(clerk, 'report-on-the-list');
  // The call is told of now, and the one that told of it stands beside it.
  await clerk.getByRole('link', { name: /対応済み/ }).waitFor();
  await clerk.getByRole('link', { name: /報告の電話/ }).waitFor();
});

await test('the words are heard as the sounds of a bridge, one after the other, and so are those of the caller', async () => {
  const listener = await desktop();
  await listener.goto(`${demo.baseUrl}/demo/phones`);
  const sound = listener.locator('[data-sound]');
  const heard = [];
  listener.on('response', (response) => {
    if (!response.url().includes('/demo/phones/sounds/')) return;
    assert.ok(response.ok(), response.url());
    assert.equal(response.headers()['content-type'], 'audio/wav');
    heard.push(response.url().split('/').pop());
  });
  await sound.click();
  assert.equal(await sound.getAttribute('aria-pressed'), 'true');
  await follow(listener);
  assert.equal(await sound.getAttribute('aria-pressed'), 'true', 'a key that is pressed does not turn the sound off');
  await sound.click();
  assert.equal(await sound.getAttribute('aria-pressed'), 'false');
  await hangUp(listener);
  // Whoever presses faster than the phones speak does not hear all of it.
  console.log(`# heard: ${heard.join(' ')}`);
  assert.ok(heard.length >= 2, heard.join(' '));
});

await test('on a phone: the first physician declines, the next one is rung and talks', async () => {
  const handset = await phone();
  await handset.goto(`${demo.baseUrl}/demo/phones`);
  let declined = false;
  await follow(handset, async () => {
    const ringing = handset.locator('li.box.bad');
    if (declined || await ringing.count() === 0) return false;
    declined = await ringing.first().locator('.button.danger').click({ timeout: 2_000 }).then(() => true, () => false);
    return true;
  });
  assert.ok(declined, 'nobody was rung');
  await look(handset, 'next');
  await hangUp(handset);
});

await test('the office tests a phone: it rings, 1 is pressed, and the board knows', async () => {
  const clerk = await desktop();
  await clerk.goto(`${demo.baseUrl}/demo`);
  await clerk.getByRole('button', { name: '山田 和子 さんとして始める' }).click();
  await clerk.goto(`${demo.baseUrl}/people/readiness?show=ring`);
  await look(clerk, 'untested');
  const whom = clerk.locator('table.ready tbody th a').first();
  const name = (await whom.innerText()).trim();
  await whom.click();
  await clerk.getByRole('button', { name: '試験の電話をかける' }).click();
  await clerk.getByText('まもなく電話が鳴ります').waitFor();
  const person = clerk.url();
  await look(clerk, 'test-call');
  await page.goto(`${demo.baseUrl}/demo/phones`);
  for (let step = 0; step < 60; step += 1) {
    await clerk.goto(person.split('?')[0]);
    if (await clerk.locator('section[aria-labelledby="h-ring"] .state', { hasText: '確認済み' }).count() === 1) break;
    const button = page.locator('#live .button.main:not([value=dial])').first();
    if (await button.count()) await button.click({ timeout: 2_000 }).catch(() => {});
    await page.waitForTimeout(300);
  }
  await look(clerk, 'tested');
  await clerk.goto(`${demo.baseUrl}/people/readiness`);
  const row = clerk.locator('table.ready tbody tr', { hasText: name });
  assert.match(await row.first().innerText(), /確認済み/);
});

await finish();
