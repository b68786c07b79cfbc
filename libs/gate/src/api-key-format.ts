import { createHmac, hash, type KeyObject } from 'node:crypto';
import { randomBytes } from 'node:crypto';
import { crc32 } from 'node:zlib';

const BASE62 = '0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz';
const PREFIX = 'hld_';
const PUBLIC_ID_LENGTH = 10;
const SECRET_LENGTH = 33;
const CHECKSUM_LENGTH = 6;
const SHAPE = /^hld_[0-9A-Za-z]{49}$/;

/** `length` base62 characters, uniformly random (bytes of 248 and over are drawn again). */
function randomBase62(length: number): string {
  let text = '';
  while (text.length < length) {
    for (const byte of randomBytes(length)) {
      if (byte < 248 && text.length < length) text += BASE62[byte % 62];
    }
  }
  return text;
}

/** CRC32 of the text in six base62 digits, left-padded, as GitHub's and npm's tokens have it. */
export function keyChecksum(text: string): string {
  let rest = crc32(text);
  let digits = '';
  for (let i = 0; i < CHECKSUM_LENGTH; i++) {
    digits = (BASE62[rest % 62] ?? '0') + digits;
    rest = Math.floor(rest / 62);
  }
  return digits;
}

/** A new key: `hld_` + public id (10) + secret (33, 196 bits) + checksum (6). */
export function newApiKey(): { key: string; publicId: string } {
  const publicId = randomBase62(PUBLIC_ID_LENGTH);
  const body = PREFIX + publicId + randomBase62(SECRET_LENGTH);
  return { key: body + keyChecksum(body), publicId };
}

/** The public id of a well-formed key, or null for anything else: a mistyped key costs no look-up. */
export function publicIdOf(key: string): string | null {
  if (!SHAPE.test(key)) return null;
  const body = key.slice(0, -CHECKSUM_LENGTH);
  if (keyChecksum(body) !== key.slice(-CHECKSUM_LENGTH)) return null;
  return key.slice(PREFIX.length, PREFIX.length + PUBLIC_ID_LENGTH);
}

/** The part of a key that may be shown. */
export function keyPrefix(publicId: string): string {
  return PREFIX + publicId;
}

/** The public id in such a part; null for anything else. */
export function publicIdOfPrefix(prefix: string): string | null {
  return prefix.startsWith(PREFIX) ? prefix.slice(PREFIX.length) : null;
}

/** What is stored of a key: HMAC-SHA-256 under the pepper, so that who writes to the database cannot mint keys. */
export function hashApiKey(pepper: KeyObject, key: string): Buffer {
  return createHmac('sha256', pepper).update(key).digest();
}

/** A digest for comparing secrets of unequal length in constant time. */
export function digestOf(text: string): Buffer {
  return hash('sha256', text, 'buffer');
}
