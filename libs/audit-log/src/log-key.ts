import { createPrivateKey, createPublicKey, type KeyObject, sign } from 'node:crypto';
import { checkpointBody, keyHash, type LogIdentity } from '@haldir/verifier';

const PKCS8_SEED = Buffer.from('302e020100300506032b657004220420', 'hex');
const SPKI_BYTES = 12;

/** A log's key pair (Ed25519, RFC 8032). */
export interface LogKey extends LogIdentity {
  privateKey: KeyObject;
}

/** @param seed the 32 bytes of RFC 8032 */
export function logKeyFromSeed(origin: string, seed: Uint8Array): LogKey {
  const pkcs8 = Buffer.concat([PKCS8_SEED, seed]);
  const privateKey = createPrivateKey({ key: pkcs8, format: 'der', type: 'pkcs8' });
  pkcs8.fill(0);
  const spki = createPublicKey(privateKey).export({ format: 'der', type: 'spki' });
  return { origin, privateKey, publicKey: Buffer.from(spki.subarray(SPKI_BYTES)) };
}

/** The signature over the checkpoint's lines, and the whole C2SP signed note. */
export function signCheckpoint(key: LogKey, tree: { size: number; root: Buffer }): { signature: Buffer; note: string } {
  return signNote(key, checkpointBody({ origin: key.origin, ...tree }));
}

/** @param body lines that say what they are: a signature under this key must not be taken for one over something else */
export function signNote(key: LogKey, body: string): { signature: Buffer; note: string } {
  const signature = sign(null, Buffer.from(body), key.privateKey);
  const blob = Buffer.concat([keyHash(key.origin, key.publicKey), signature]).toString('base64');
  return { signature, note: `${body}\n— ${key.origin} ${blob}\n` };
}
