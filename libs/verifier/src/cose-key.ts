import { createPublicKey, type KeyObject } from 'node:crypto';

/** Of COSE (https://www.iana.org/assignments/cose): what passkeys of Haldir sign with. */
const [ES256, EDDSA, RS256] = [-7, -8, -257];
const RSA_BITS_MIN = 2048;
const RSA_EXPONENT = 65_537n;

/** Labels of a COSE_Key (RFC 9052, 7.1; RFC 9053, 7; RFC 8230, 4). */
const [KTY, ALG] = [1, 3];
const [CRV, X, Y] = [-1, -2, -3];
const [N, E] = [-1, -2];

type Members = ReadonlyMap<number, number | Buffer>;

export interface PasskeyKey {
  key: KeyObject;
  /** As `crypto.verify` takes it: null where the algorithm has its own. */
  hash: 'sha256' | null;
}

/** A COSE_Key of ES256 with P-256, EdDSA with Ed25519, or RS256 of 2048 bits or more; null for anything else. */
export function readCoseKey(bytes: Buffer): PasskeyKey | null {
  try {
    const members = membersOf(bytes);
    const hash = members.get(ALG) === EDDSA ? null : 'sha256';
    const key = createPublicKey({ key: jwkOf(members), format: 'jwk' });
    const { modulusLength = RSA_BITS_MIN, publicExponent = RSA_EXPONENT } = key.asymmetricKeyDetails ?? {};
    return modulusLength >= RSA_BITS_MIN && publicExponent === RSA_EXPONENT ? { key, hash } : null;
  } catch {
    return null;
  }
}

/** RFC 7517. @throws Error for a key of no kind that passkeys have */
function jwkOf(members: Members): Record<string, string> {
  const kind = [KTY, ALG, CRV].map((label) => members.get(label));
  const text = (label: number): string => {
    const value = members.get(label);
    if (!Buffer.isBuffer(value)) throw new Error('not a COSE_Key');
    return value.toString('base64url');
  };
  if (members.get(KTY) === 3 && members.get(ALG) === RS256) return { kty: 'RSA', n: text(N), e: text(E) };
  if (kind.join() === [2, ES256, 1].join()) return { kty: 'EC', crv: 'P-256', x: text(X), y: text(Y) };
  if (kind.join() === [1, EDDSA, 6].join()) return { kty: 'OKP', crv: 'Ed25519', x: text(X) };
  throw new Error('not a key of a passkey');
}

/** As much of CBOR (RFC 8949) as such a key has: one map of integers to integers and byte strings. @throws Error for anything else */
function membersOf(bytes: Buffer): Members {
  let at = 0;
  const head = (): { major: number; value: number } => {
    const first = bytes.readUInt8(at++);
    const [major, size] = [first >> 5, first & 31];
    if (size < 24) return { major, value: size };
    if (size > 26) throw new Error('not of a COSE_Key');
    const length = 1 << (size - 24);
    const value = bytes.readUIntBE(at, length);
    at += length;
    return { major, value };
  };
  const integerOf = ({ major, value }: { major: number; value: number }): number => {
    if (major > 1) throw new Error('not of a COSE_Key');
    return major === 0 ? value : -1 - value;
  };
  const map = head();
  if (map.major !== 5) throw new Error('not a map');
  const members = new Map<number, number | Buffer>();
  for (let left = map.value; left > 0; left--) {
    const label = integerOf(head());
    if (members.has(label)) throw new Error('a label stands twice');
    const value = head();
    if (value.major === 2) {
      if (at + value.value > bytes.length) throw new Error('cut off');
      members.set(label, bytes.subarray(at, (at += value.value)));
    } else members.set(label, integerOf(value));
  }
  if (at !== bytes.length) throw new Error('there is more');
  return members;
}
