// What a check of a proof takes from `node:crypto`, for browsers: vite puts this in its place (scripts/lib/console.mjs). Synchronous, as
// libs/verifier asks, which WebCrypto is not.
import { hashes, verify as verifyEd25519 } from '@noble/ed25519';
import { sha256, sha512 } from '@noble/hashes/sha2.js';
import { Buffer } from 'buffer/index.js';

hashes.sha512 = sha512;

const KEY_BYTES = 32;

/** @throws RangeError for any other algorithm or encoding */
export function hash(algorithm: string, data: string | Uint8Array, encoding: string): Uint8Array | string {
  if (algorithm !== 'sha256') throw new RangeError(`no ${algorithm} here`);
  const digest = Buffer.from(sha256(typeof data === 'string' ? new TextEncoder().encode(data) : data));
  if (encoding === 'buffer') return digest;
  if (encoding === 'hex') return digest.toString('hex');
  throw new RangeError(`no digest is written as ${encoding} here`);
}

/** Of an Ed25519 key as SubjectPublicKeyInfo (RFC 8410), which ends with the key. */
export function createPublicKey({ key }: { key: Uint8Array }): Uint8Array {
  return key.subarray(-KEY_BYTES);
}

/** Whether it is an Ed25519 signature of the key, by RFC 8032. */
export function verify(_algorithm: null, data: Uint8Array, key: Uint8Array, signature: Uint8Array): boolean {
  try {
    return verifyEd25519(signature, data, key, { zip215: false });
  } catch {
    // A key or signature that is no point of the curve signs nothing.
    return false;
  }
}
