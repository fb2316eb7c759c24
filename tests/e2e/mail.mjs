// Reads the mail that touban sent: a Maildir (as Postfix delivers) or a folder of .eml files (as the demo writes).

import { execFileSync } from 'node:child_process';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { until } from './harness.mjs';

const reader = path.join(path.dirname(fileURLToPath(import.meta.url)), 'mail.py');

/**
 * All messages, oldest first: { file, from, to: [], subject, messageId, date, headers: [[name, value]], text, html,
 * links: [] }. Texts are decoded; `links` are the addresses found in the text part, then those in the HTML part.
 */
export function readMail(folder) {
  return JSON.parse(execFileSync('python3', [reader, folder], { encoding: 'utf8', maxBuffer: 64 << 20 }));
}

/** Waits for a message that `matches` (a function of a message) and returns it; the newest of several. */
export function waitForMail(folder, what, matches, options) {
  return until(what, () => readMail(folder).findLast(matches), { everyMs: 150, ...options });
}
