import { createPrivateKey, createPublicKey, hash, type KeyObject, sign, verify } from 'node:crypto';

/** C2SP tlog-checkpoint in a C2SP signed note, with Ed25519 (signature type 1). */

const ED25519 = Buffer.from([1]);
const PKCS8_SEED = Buffer.from('302e020100300506032b657004220420', 'hex');
const SPKI_KEY = Buffer.from('302a300506032b6570032100', 'hex');

/** A log's key pair; the origin is also the name of the key. */
export interface LogKey {
  origin: string;
  /** 32 bytes. */
  publicKey: Buffer;
  privateKey: KeyObject;
}

/** What a checkpoint says of a log. */
export interface TreeState {
  origin: string;
  size: number;
  root: Buffer;
}

/** @param seed the 32 bytes of RFC 8032 */
export function logKeyFromSeed(origin: string, seed: Uint8Array): LogKey {
  const pkcs8 = Buffer.concat([PKCS8_SEED, seed]);
  const privateKey = createPrivateKey({ key: pkcs8, format: 'der', type: 'pkcs8' });
  pkcs8.fill(0);
  const spki = createPublicKey(privateKey).export({ format: 'der', type: 'spki' });
  return { origin, privateKey, publicKey: Buffer.from(spki.subarray(SPKI_KEY.length)) };
}

/** The key's string for verifiers: `name+hash+base64(type ‖ key)`. */
export function verifierKey({ origin, publicKey }: Pick<LogKey, 'origin' | 'publicKey'>): string {
  return `${origin}+${keyHash(origin, publicKey).toString('hex')}+${Buffer.concat([ED25519, publicKey]).toString('base64')}`;
}

/** The lines that are signed. */
export function checkpointBody({ origin, size, root }: TreeState): string {
  return `${origin}\n${size}\n${root.toString('base64')}\n`;
}

/** The signature over the checkpoint's lines, and the whole note. */
export function signCheckpoint(key: LogKey, tree: { size: number; root: Buffer }): { signature: Buffer; note: string } {
  const body = checkpointBody({ origin: key.origin, ...tree });
  const signature = sign(null, Buffer.from(body), key.privateKey);
  const blob = Buffer.concat([keyHash(key.origin, key.publicKey), signature]).toString('base64');
  return { signature, note: `${body}\n— ${key.origin} ${blob}\n` };
}

/** Whether the signature is the log's own over exactly this tree. */
export function isSignedBy(
  { origin, publicKey }: Pick<LogKey, 'origin' | 'publicKey'>,
  tree: { size: number; root: Buffer },
  signature: Uint8Array,
): boolean {
  if (signature.length !== 64 || publicKey.length !== 32) return false;
  const key = createPublicKey({ key: Buffer.concat([SPKI_KEY, publicKey]), format: 'der', type: 'spki' });
  return verify(null, Buffer.from(checkpointBody({ origin, ...tree })), key, signature);
}

function keyHash(origin: string, publicKey: Uint8Array): Buffer {
  return hash('sha256', Buffer.concat([Buffer.from(`${origin}\n`), ED25519, publicKey]), 'buffer').subarray(0, 4);
}
