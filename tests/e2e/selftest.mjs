// Tests the testing tools: each is shown something good and something bad, because a check that cannot fail
// protects nobody. Needs a browser, but no touban.

import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { chmodSync, mkdirSync, writeFileSync, existsSync, readFileSync } from 'node:fs';
import http from 'node:http';
import path from 'node:path';
import { keep, leaks, plant, plantPin, plantTypedPin } from './canaries.mjs';
import {
  axe, desktop, elderly, expectComplaint, finish, phone, readMail, shot, smallPhone, startTouban, temporaryFolder, test,
  until, waitForMail, withinFirstScreen,
} from './harness.mjs';
import * as robot from './robot.mjs';

const style = `
  html { font-size: 112.5% } body { margin: 0 auto; max-width: 34rem; padding: 0 1rem; color: #1a1a1a; background: #fff;
    font-family: "BIZ UDPGothic", "Noto Sans CJK JP", sans-serif; line-height: 1.7 }
  button { display: block; width: 100%; min-height: 56px; margin: 8px 0; font: inherit; color: #fff; background: #115a36; border: 0 }
  label { display: block } input[type=text] { font: inherit; min-height: 44px; width: 100%; box-sizing: border-box }
  .choice { min-height: 44px; line-height: 44px } .hidden { position: absolute; width: 1px; height: 1px; overflow: hidden; clip-path: inset(50%) }
  .tiny { font-size: 12px } .low { min-height: 20px; height: 20px; width: 60px } .wide { width: 900px } .grey { color: #767676 }
`;
const good = `<h1>ご相談が届いています</h1><p>皮膚科 80代 女性。くわしくは<a href="/about">ご案内</a>をお読みください。</p>
  <span class="hidden tiny">読み上げ用の言葉</span>
  <form method="post"><label class="choice"><input type="radio" name="mode" value="write"> 文章で答える</label>
  <label>暗証番号 <input type="text" name="pin" inputmode="numeric"></label>
  <button id="accept">引き受ける</button><button id="decline">お断りする</button></form>`;
const pages = {
  '/good': good,
  '/tiny': `${good}<p class="tiny">小さな文字</p>`,
  '/low': `${good}<button class="low">次</button>`,
  '/wide': `${good}<div class="wide">はみ出す</div>`,
  '/grey': `${good}<p class="grey">灰色の文字</p>`,
  '/nolabel': `${good}<input type="text" name="nameless">`,
  '/inline': `${good}<script>document.title = 'inline'</script>`,
  '/throws': `${good}<script src="/throws.js"></script>`,
};
const site = http.createServer((request, response) => {
  if (request.url === '/style.css') {
    response.writeHead(200, { 'content-type': 'text/css' }).end(style);
  } else if (request.url === '/throws.js') {
    response.writeHead(200, { 'content-type': 'text/javascript' }).end('throw new Error("planted")');
  } else if (request.url === '/favicon.ico') {
    response.writeHead(204).end();
  } else if (pages[request.url]) {
    response.writeHead(200, {
      'content-type': 'text/html; charset=utf-8',
      'content-security-policy': "default-src 'none'; style-src 'self'; script-src 'self'; img-src 'self'; form-action 'self'",
    });
    response.end(`<!doctype html><html lang="ja"><meta charset="utf-8"><meta name="viewport" content="width=device-width">
      <title>青葉市医師会</title><link rel="stylesheet" href="/style.css"><body><main>${pages[request.url]}</main></body></html>`);
  } else {
    response.writeHead(404, { 'content-type': 'text/plain' }).end('nothing here');
  }
});
await new Promise((resolve) => site.listen(0, '127.0.0.1', resolve));
const base = `http://127.0.0.1:${site.address().port}`;

await test('a good page passes every check, on each screen, with and without scripts', async () => {
  for (const open of [phone, smallPhone, desktop, () => phone({ javaScriptEnabled: false })]) {
    const page = await open();
    await page.goto(`${base}/good`);
    await axe(page);
    await elderly(page);
    await withinFirstScreen(page.locator('#decline'));
    await page.context().close();
  }
}, { vital: true });

await test('a screenshot shows Japanese letters', async () => {
  const page = await phone();
  await page.goto(`${base}/good`);
  assert.ok(existsSync(await shot(page, 'selftest 良い頁')));
  // Two kanji without a font are the same empty box.
  const differ = await page.evaluate(() => {
    const draw = (letter) => {
      const canvas = document.createElement('canvas');
      canvas.width = canvas.height = 40;
      const pen = canvas.getContext('2d');
      pen.font = '32px "BIZ UDPGothic", "Noto Sans CJK JP", sans-serif';
      pen.fillText(letter, 2, 34);
      return canvas.toDataURL();
    };
    return draw('医') !== draw('師');
  });
  assert.ok(differ, 'no Japanese font is installed');
  await page.context().close();
});

const finds = (name, url, check, pattern) => test(name, async () => {
  const page = await phone();
  await page.goto(base + url);
  await assert.rejects(() => check(page), pattern);
  await page.context().close();
});
await finds('letters of 12 px are found', '/tiny', elderly, /at 320 px: text of 12 px: <p> 小さな文字/);
await finds('a button of 60 x 20 px is found', '/low', elderly, /target of 60 x 20 px: <button> 次/);
await finds('a page that scrolls sideways is found', '/wide', elderly, /at 390 px: the page is \d+ px wide and scrolls sideways/);
await finds('contrast that is enough at a desk is too little on a phone', '/grey', axe, /color-contrast-enhanced/);
await finds('a field without a label is found', '/nolabel', axe, /axe label /);
await finds('a button below the first screen is found', '/good', async (page) => {
  await page.setViewportSize({ width: 390, height: 240 });
  await withinFirstScreen(page.locator('#decline'));
}, /is not within the first 390 x 240 px/);

await test('a field without a label is found with scripts off, too', async () => {
  const page = await phone({ javaScriptEnabled: false });
  await page.goto(`${base}/nolabel`);
  await assert.rejects(() => axe(page), /axe label /);
  await page.context().close();
});

await test('contrast that is enough at a desk passes there', async () => {
  const page = await desktop();
  await page.goto(`${base}/grey`);
  await axe(page);
  await page.context().close();
});

await test('a complaint that was announced does not fail the test', async () => {
  expectComplaint(/404/);
  const page = await phone();
  await page.goto(`${base}/nowhere`);
  await page.context().close();
});

/** Runs a small journey in a process of its own and returns what it printed and how it ended. */
async function journey(body) {
  const harness = new URL('./harness.mjs', import.meta.url).href;
  const code = `import { test, finish, phone, startTouban } from '${harness}'; ${body}; await finish();`;
  const child = spawn(process.execPath, ['--input-type=module', '-e', code], { stdio: ['ignore', 'pipe', 'pipe'] });
  let out = '';
  for (const stream of [child.stdout, child.stderr]) stream.on('data', (bytes) => { out += bytes; });
  const status = await new Promise((resolve) => child.on('close', resolve));
  return { out, status };
}
const visit = (url) => journey(`await test('a visit', async () => {
  const page = await phone(); await page.goto('${base}${url}'); })`);

await test('a visit without complaints passes', async () => {
  const { out, status } = await visit('/good');
  assert.match(out, /^ok {6}a visit/m);
  assert.match(out, /1 passed, 0 failed\n$/);
  assert.equal(status, 0);
});
for (const [what, url, pattern] of [
  ['a broken content security policy', '/inline', /Content Security Policy/],
  ['a script that throws', '/throws', /uncaught planted/],
  ['a missing page', '/nowhere', /404/],
]) {
  await test(`${what} fails the test it happens in`, async () => {
    const { out, status } = await visit(url);
    assert.match(out, pattern);
    assert.match(out, /0 passed, 1 failed\n$/);
    assert.equal(status, 1);
  });
}
await test('a journey without tests is a failure', async () => {
  const { out, status } = await journey('');
  assert.match(out, /0 passed, 1 failed\n$/);
  assert.equal(status, 1);
});

/** A program that behaves like touban as far as the harness can see. */
function standIn(script) {
  const file = path.join(temporaryFolder(), 'touban');
  writeFileSync(file, `#!/bin/sh\n${script}\n`);
  chmodSync(file, 0o755);
  process.env.TOUBAN_BIN = file;
}
const readyLine = `echo 'starting'; echo '{"event":"ready","base_url":"${base}"}'`;

await test('touban is started with its file, waited for, and stopped politely', async () => {
  standIn(`cp "$3" seen.toml; echo "$TOUBAN__MAIL__KIND" > seen.env; trap 'echo bye > seen.end; exit 0' TERM; ${readyLine}; while :; do sleep 0.05; done`);
  const touban = await startTouban({ config: (folder) => `data = "${folder}"\n`, env: { TOUBAN__MAIL__KIND: 'folder' } });
  assert.equal(touban.baseUrl, base);
  await touban.stop();
  const seen = (name) => readFileSync(path.join(touban.folder, name), 'utf8');
  assert.equal(seen('seen.toml'), `data = "${touban.folder}"\n`);
  assert.equal(seen('seen.env'), 'folder\n');
  assert.equal(seen('seen.end'), 'bye\n');
});
await test('a touban that ends before it is ready is a failure with its last words', async () => {
  standIn('echo "unknown key: listen" >&2; exit 3');
  await assert.rejects(() => startTouban(), /status 3[^]*unknown key: listen/);
});
await test('a touban that says nothing is a failure', async () => {
  standIn('exec sleep 60');
  await assert.rejects(() => startTouban({ readyMs: 300 }), /was not ready after 300 ms/);
});
await test('a touban that will not stop is a failure', async () => {
  standIn(`trap '' TERM; ${readyLine}; while :; do sleep 0.05; done`);
  const touban = await startTouban({ graceMs: 300 });
  await assert.rejects(() => touban.stop(), /did not stop within 300 ms/);
});

await test('mail is read as a mail program reads it', async () => {
  const folder = temporaryFolder();
  for (const part of ['new', 'cur', 'tmp']) mkdirSync(path.join(folder, part));
  assert.deepEqual(readMail(folder), []);
  const text = 'ご相談が届いています。\n\nhttps://touban.example.jp/a#t=0123-ABC。\n';
  writeFileSync(path.join(folder, 'new/1.host'), [
    `From: =?UTF-8?B?${Buffer.from('青葉市医師会').toString('base64')}?= <touban@example.jp>`,
    'To: "foo..bar"@docomo.ne.jp', `Subject: =?UTF-8?B?${Buffer.from('【皮膚科】20時まで').toString('base64')}?=`,
    'Message-ID: <1@touban.example.jp>', 'MIME-Version: 1.0', 'Content-Type: multipart/alternative; boundary="b"', '',
    '--b', 'Content-Type: text/plain; charset=utf-8', 'Content-Transfer-Encoding: base64', '',
    Buffer.from(text).toString('base64'),
    '--b', 'Content-Type: text/html; charset=utf-8', 'Content-Transfer-Encoding: quoted-printable', '',
    '<a href=3D"https://touban.example.jp/a?x=3D1&amp;y=3D2">=E9=96=8B=E3=81=8F</a>',
    '--b--', '',
  ].join('\r\n'));
  const mail = await waitForMail(folder, 'the request', (m) => m.subject.startsWith('【皮膚科】'));
  assert.equal(mail.subject, '【皮膚科】20時まで');
  assert.equal(mail.from, '青葉市医師会 <touban@example.jp>');
  // Quotes in the header only protect the two dots; the address has none.
  assert.deepEqual(mail.to, ['foo..bar@docomo.ne.jp']);
  assert.equal(mail.text, text);
  assert.match(mail.html, /開く/);
  assert.deepEqual(mail.links, ['https://touban.example.jp/a#t=0123-ABC', 'https://touban.example.jp/a?x=1&y=2']);
  assert.deepEqual(mail.defects, []);
});
await test('waiting ends, and says for what', async () => {
  await assert.rejects(() => until('snow in July', () => false, { timeoutMs: 100 }), /waited 100 ms for snow in July/);
});

await test('planted strings are found wherever they leak, and a token may stand in its own mail', async () => {
  const word = plant('clinical', 'the question');
  const typed = plantTypedPin('the typed PIN');
  const pin = plantPin('the PIN');
  const token = Buffer.alloc(32, 0xa7).toString('base64url');
  const code = '7Q2M-X0PA-4K9D';
  keep('secret', 'the token', token, 'its mail');
  keep('secret', 'the code', code, 'its mail');
  const hex = (text) => Buffer.from(text).toString('hex');
  for (const [kind, bytes, what] of [
    ['log', `{"message":"asked about ${word}"}`, 'the question'],
    ['database', `INSERT INTO request VALUES ('\\x${hex(word)}')`, 'the question'],
    ['database', `X'${hex(word).toUpperCase()}'`, 'the question'],
    ['address', `GET https://touban.example.jp/consults?q=${word}`, 'the question'],
    ['log', `{"pin":"${typed}"}`, 'the typed PIN'],
    ['log', `{"pin":${pin}}`, 'the PIN'],
    ['mail', `暗証番号は ${pin} です`, 'the PIN'],
    ['mail', `https://touban.example.jp/k#${token}`, 'the token'],
    ['database', Buffer.concat([Buffer.from('row'), Buffer.alloc(32, 0xa7)]), 'the token'],
    ['database', `\\x${'a7'.repeat(32)}`, 'the token'],
    ['log', `code=${code.replaceAll('-', '')}`, 'the code'],
  ]) {
    assert.deepEqual(leaks([{ kind, place: 'a place', bytes }]), [`${what} stands in a place`]);
  }
  assert.deepEqual(leaks([
    { kind: 'mail', place: 'its mail', bytes: `https://touban.example.jp/k#${token} ${code}` },
    { kind: 'log', place: 'the log', bytes: `{"elapsed_ms":${pin},"id":"01KX${pin}ABC","at":"10:00:00.${pin}Z"}` },
  ]), []);
});

await test('the robot follows links, runs scripts and presses every button, with and without words, but types no PIN', async () => {
  const seen = [];
  const page = (body) => `<!doctype html><html lang="ja"><meta charset="utf-8"><title>x</title>${body}`;
  const gate = http.createServer((request, response) => {
    let body = '';
    request.on('data', (bytes) => { body += bytes; });
    request.on('end', () => {
      seen.push(`${request.method} ${request.url} ${body}`.trim());
      response.writeHead(200, { 'content-type': 'text/html; charset=utf-8' });
      if (request.url === '/k') response.end(page(`<form id="f" method="post" action="/open"><input name="token"></form>
        <script>f.token.value = location.hash.slice(1); if (f.token.value) f.submit();</script>`));
      else if (request.url === '/open') response.end(page(`<a href="/elsewhere">x</a><form method="post" action="/answer">
        <button type="submit" disabled hidden></button><input name="token" type="hidden" value="t"><input name="pin" required>
        <input name="note"><button name="answer" value="yes">はい</button><button name="answer" value="no">いいえ</button></form>`));
      else response.end(page('<p>よし</p>'));
    });
  });
  await new Promise((resolve) => gate.listen(0, '127.0.0.1', resolve));
  const link = `http://127.0.0.1:${gate.address().port}/k#secret`;
  await robot.scan({ links: [link] });
  for (const wanted of ['GET /k', 'HEAD /k', 'OPTIONS /k', 'GET /k%23secret', 'POST /open token=secret', 'GET /elsewhere',
    'POST /answer token=t&pin=&note=&answer=yes', 'POST /answer token=t&pin=&note=&answer=no', 'POST /answer token=t&pin=&note=']) {
    assert.ok(seen.includes(wanted), `${wanted} in\n${seen.join('\n')}`);
  }
  assert.ok(seen.some((s) => /^POST \/answer token=t&pin=&note=\w+&answer=no$/.test(s)), seen.join('\n'));
  assert.ok(seen.every((s) => !/pin=./.test(s.replace('pin=&', ''))), 'no PIN');
  await robot.scan({ links: [link] }, { pins: ['0000', '1111'] });
  for (const pin of ['0000', '1111']) assert.ok(seen.some((s) => s.includes(`pin=${pin}`) && s.includes('answer=yes')), pin);
  gate.closeAllConnections();
  gate.close();
});

site.closeAllConnections();
site.close();
await finish();
