// Strings planted where they belong, and the search for them where they do not.

import { randomBytes, randomInt } from 'node:crypto';

const letters = 'abcdefghijkmnpqrstuvwxyz';

/** What was planted: { what, kind, text, forms }. */
const planted = [];

/** Places in which each kind of canary must not be found. */
const forbidden = {
  // What doctors write about a patient, and whom one can phone.
  clinical: ['mail', 'log', 'address', 'page', 'database'],
  // Eight digits typed as a PIN: a number that stands nowhere else by chance.
  typed: ['mail', 'log', 'address', 'page', 'database'],
  // Four digits are found everywhere; in words of their own they must not be.
  pin: ['mail', 'log', 'address', 'page'],
  // Tokens and codes of links, cookies, keys.
  secret: ['mail', 'log', 'address', 'page', 'database'],
  // Names of people and institutions.
  name: ['mail', 'log', 'address', 'page'],
};

/** A word that stands nowhere else, to be written into a text of the given kind. */
export function plant(kind, what) {
  let text = '';
  for (const byte of randomBytes(14)) text += letters[byte % letters.length];
  keep(kind, what, text);
  return text;
}

/** Eight digits, more than a PIN has. */
export function plantTypedPin(what) {
  const text = String(randomInt(10_000_000, 99_999_999));
  keep('typed', what, text);
  return text;
}

/** Four digits that are neither a year nor a round number, and that nobody else in this run has. */
export function plantPin(what) {
  for (;;) {
    const text = String(randomInt(2_100, 9_999));
    if (/^(.)\1|00$/.test(text) || planted.some((c) => c.text === text)) continue;
    keep('pin', what, text);
    return text;
  }
}

/** Remembers a string that touban made itself, such as the token of a link. `home`: the one mail it may stand in. */
export function keep(kind, what, text, home) {
  if (!forbidden[kind]) throw new Error(`no such kind of canary: ${kind}`);
  if (planted.some((c) => c.text === text)) return;
  planted.push({ kind, what, text, home, forms: formsOf(kind, text) });
}

// As it is, as hexadecimal digits (how databases print bytes), and, for a token, the bytes that it stands for.
function formsOf(kind, text) {
  const plain = Buffer.from(text, 'utf8');
  const forms = [plain, Buffer.from(plain.toString('hex')), Buffer.from(plain.toString('hex').toUpperCase())];
  if (kind === 'secret' && /^[\w-]{43}$/.test(text)) {
    const bytes = Buffer.from(text, 'base64url');
    forms.push(bytes, Buffer.from(bytes.toString('hex')), Buffer.from(bytes.toString('hex').toUpperCase()));
  }
  if (kind === 'secret' && /^[0-9A-Z]{4}(-[0-9A-Z]{4}){2}$/.test(text)) forms.push(Buffer.from(text.replaceAll('-', '')));
  return forms;
}

export const planting = () => planted.length;

/**
 * Looks for every canary in every text and returns what was found, as sentences without the canary itself.
 * texts: [{ kind: mail | log | address | page | database, place, bytes }]; `place` is compared with `home`.
 */
export function leaks(texts) {
  const found = [];
  for (const { kind, place, bytes } of texts) {
    const haystack = Buffer.isBuffer(bytes) ? bytes : Buffer.from(bytes, 'utf8');
    // Four digits amid other digits or letters are part of something else, and so is a figure that a log line measured.
    const words = kind === 'database' ? '' : haystack.toString('utf8').replace(/"(?!\w*pin)\w+":-?\d[\d.]*(?=[,}\]])/gi, '');
    for (const canary of planted) {
      if (!forbidden[canary.kind].includes(kind) || canary.home === place) continue;
      const hit = canary.kind === 'pin'
        ? new RegExp(`(?<![\\p{L}\\p{N}.-])${canary.text}(?![\\p{L}\\p{N}.-])`, 'u').test(words)
        : canary.forms.some((form) => haystack.includes(form));
      if (hit) found.push(`${canary.what} stands in ${place}`);
    }
  }
  return found;
}
