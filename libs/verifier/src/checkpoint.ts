import { createPublicKey, hash, verify } from 'node:crypto';

/** C2SP tlog-checkpoint in a C2SP signed note, with Ed25519 (signature type 1): https://c2sp.org/tlog-checkpoint */

const ED25519 = Buffer.from([1]);
const SPKI_KEY = Buffer.from('302a300506032b6570032100', 'hex');
const SIGNATURE_BYTES = 64;
const KEY_BYTES = 32;
const KEY_HASH_BYTES = 4;
const ROOT_BYTES = 32;
/** A note may carry signatures of others; whoever sends more than this is not read. */
const MAX_SIGNATURES = 100;
const MAX_NOTE_CHARACTERS = 100_000;

/** A log as its checkpoints name it: the origin, which is also the name of its key, and that key (32 bytes). */
export interface LogIdentity {
  origin: string;
  publicKey: Buffer;
}

/** What a checkpoint says of a log. */
export interface Checkpoint {
  origin: string;
  size: number;
  root: Buffer;
}

/** A note that is no checkpoint of the log, or not signed by it. The message says what is wrong. */
export class InvalidCheckpoint extends Error {}

/** The lines that are signed. */
export function checkpointBody({ origin, size, root }: Checkpoint): string {
  return `${origin}\n${size}\n${root.toString('base64')}\n`;
}

/** The key's string for verifiers: `name+hash+base64(type ‖ key)`. */
export function verifierKey({ origin, publicKey }: LogIdentity): string {
  return `${origin}+${keyHash(origin, publicKey).toString('hex')}+${Buffer.concat([ED25519, publicKey]).toString('base64')}`;
}

/** @throws InvalidCheckpoint for a text that is no Ed25519 verifier key */
export function parseVerifierKey(text: string): LogIdentity {
  const [, origin, hashHex, encoded] = /^([^\s+]+)\+([0-9a-f]{8})\+([A-Za-z0-9+/]+={0,2})$/.exec(text.trim()) ?? [];
  if (origin === undefined || hashHex === undefined || encoded === undefined) {
    throw new InvalidCheckpoint('the verifier key is not of the form name+hash+key');
  }
  const bytes = decodeBase64(encoded);
  if (bytes?.length !== 1 + KEY_BYTES || bytes[0] !== ED25519[0]) {
    throw new InvalidCheckpoint('the verifier key is not an Ed25519 key');
  }
  const publicKey = bytes.subarray(1);
  if (keyHash(origin, publicKey).toString('hex') !== hashHex) {
    throw new InvalidCheckpoint('the verifier key does not match its own hash');
  }
  return { origin, publicKey };
}

/** The first four bytes of SHA-256(name ‖ 0x0a ‖ type ‖ key), by which a signature line names its key. */
export function keyHash(origin: string, publicKey: Uint8Array): Buffer {
  return hash('sha256', Buffer.concat([Buffer.from(`${origin}\n`), ED25519, publicKey]), 'buffer').subarray(
    0,
    KEY_HASH_BYTES,
  );
}

/** Whether the signature is the log's own over exactly this tree. */
export function isSignedBy(
  log: LogIdentity,
  { size, root }: { size: number; root: Buffer },
  signature: Uint8Array,
): boolean {
  return verifies(log, checkpointBody({ origin: log.origin, size, root }), signature);
}

function verifies({ publicKey }: LogIdentity, body: string, signature: Uint8Array): boolean {
  if (signature.length !== SIGNATURE_BYTES || publicKey.length !== KEY_BYTES) return false;
  const key = createPublicKey({ key: Buffer.concat([SPKI_KEY, publicKey]), format: 'der', type: 'spki' });
  return verify(null, Buffer.from(body), key, signature);
}

/**
 * The lines of a signed note, once the signature by `log` is found and right. Signatures of other keys are passed over.
 *
 * @param what the note is, for whoever reads what is wrong with it
 * @throws InvalidCheckpoint for anything else
 */
export function noteBodySignedBy(note: string, log: LogIdentity, what: string): string {
  const { body, signatures } = readNote(note, log, what);
  const [signature] = signatures;
  if (!signature || signatures.length > 1 || !verifies(log, body, signature)) {
    throw new InvalidCheckpoint(`${what} is not signed by the log`);
  }
  return body;
}

/** @returns the lines that are signed, and the signatures under the log's key */
function readNote(note: string, log: LogIdentity, what: string): { body: string; signatures: Buffer[] } {
  if (note.length > MAX_NOTE_CHARACTERS) throw new InvalidCheckpoint(`${what} is too long`);
  const split = note.indexOf('\n\n');
  if (split < 0 || !note.endsWith('\n')) throw new InvalidCheckpoint(`${what} is not a signed note`);
  const lines = note
    .slice(split + 2)
    .split('\n')
    .slice(0, -1);
  if (lines.length === 0 || lines.length > MAX_SIGNATURES) {
    throw new InvalidCheckpoint(`${what} should have 1 to ${MAX_SIGNATURES} signatures`);
  }
  const own = keyHash(log.origin, log.publicKey);
  const signatures = lines.flatMap((line) => {
    const [, name, encoded] = /^— ([^\s+]+) ([A-Za-z0-9+/]+={0,2})$/.exec(line) ?? [];
    const blob = encoded === undefined ? null : decodeBase64(encoded);
    if (name === undefined || blob === null || blob.length <= KEY_HASH_BYTES) {
      throw new InvalidCheckpoint(`${what} has a malformed signature line`);
    }
    return name === log.origin && blob.subarray(0, KEY_HASH_BYTES).equals(own) ? [blob.subarray(KEY_HASH_BYTES)] : [];
  });
  return { body: note.slice(0, split + 1), signatures };
}

/**
 * What the signed note says, once its signature by `log` is found and right. Signatures of other keys are passed over.
 *
 * @throws InvalidCheckpoint for anything else
 */
export function parseCheckpoint(note: string, log: LogIdentity): Checkpoint {
  const { body, signatures } = readNote(note, log, 'the checkpoint');
  const [origin, sizeText = '', rootText = '', ...rest] = body.slice(0, -1).split('\n');
  if (rest.length > 0) throw new InvalidCheckpoint('the checkpoint has lines beyond origin, size and root');
  if (origin !== log.origin) throw new InvalidCheckpoint('the checkpoint is of another log');
  const size = /^(0|[1-9]\d{0,15})$/.test(sizeText) ? Number(sizeText) : NaN;
  if (!Number.isSafeInteger(size)) throw new InvalidCheckpoint('the checkpoint has no proper size');
  const root = decodeBase64(rootText);
  if (root?.length !== ROOT_BYTES) throw new InvalidCheckpoint('the checkpoint has no proper root hash');
  const [signature] = signatures;
  if (!signature || signatures.length > 1 || !isSignedBy(log, { size, root }, signature)) {
    throw new InvalidCheckpoint('the checkpoint is not signed by the log');
  }
  return { origin, size, root };
}

/** Null unless the text is base64 exactly as it is written. */
function decodeBase64(text: string): Buffer | null {
  const bytes = Buffer.from(text, 'base64');
  return bytes.toString('base64') === text ? bytes : null;
}
