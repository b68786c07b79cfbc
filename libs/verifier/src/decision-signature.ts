import { hash, verify } from 'node:crypto';
import { type PasskeyKey, readCoseKey } from './cose-key.js';
import { parseStrictObject } from './strict-json.js';

/** Separates these challenges from all others, and versions of their encoding from each other. */
const LABEL = 'haldir.decision.v1';
/** The same of an approval of several calls alike. */
const GRANT_LABEL = 'haldir.grant.v1';

const USER_PRESENT = 0x01;
const USER_VERIFIED = 0x04;
/** SHA-256 of the site, flags, and what was counted (https://www.w3.org/TR/webauthn-3/#sctn-authenticator-data). */
const AUTHENTICATOR_DATA_MIN = 37;

/** What an approval allows beside the call that waits, as the log has it. */
export interface SignedTerms {
  /** Names, in ascending order. */
  free_arguments: readonly string[];
  uses: number;
  /** Micro-dollars in decimal digits; null when the calls may spend nothing. */
  total_micros: string | null;
  ttl_seconds: number;
}

/** What is signed of a decision, and nothing else. */
export interface SignedDecision {
  tenantId: string;
  requestId: string;
  /** Of the exact call, hex; null where no call waits for the decision. */
  digest: string | null;
  decision: 'approved' | 'denied';
  personId: string;
  /** Null for a decision about this call alone. */
  terms: SignedTerms | null;
  /** 128 bits, hex. */
  nonce: string;
}

/** How the log has a signature: the nonce in hex, the rest as WebAuthn has it, bytes in base64url. */
export const SIGNATURE_MEMBERS = [
  ...(['nonce', 'passkey_id', 'credential_id', 'rp_id'] as const),
  ...(['authenticator_data', 'client_data_json', 'signature'] as const),
] as const;
export type DecisionSignature = Record<(typeof SIGNATURE_MEMBERS)[number], string>;

/** The public half of a passkey. */
export interface SigningKey {
  /** A COSE_Key. */
  publicKey: Buffer;
  /** The site that it was made for. */
  rpId: string;
}

/**
 * The WebAuthn challenge of a decision: SHA-256 of the RFC 8785 JSON of a list of texts, of null for a digest that there is not, and of
 * what it allows beside, so that no two decisions have the same bytes. docs/log-format.md has vectors.
 */
export function decisionChallenge(signed: SignedDecision): Buffer {
  const { tenantId, requestId, digest, decision, personId, terms, nonce } = signed;
  const list = [tenantId, requestId, digest, decision, personId, nonce];
  const text = JSON.stringify(terms === null ? [LABEL, ...list] : [GRANT_LABEL, ...list, ...termsOf(terms)]);
  return hash('sha256', text, 'buffer');
}

function termsOf(terms: SignedTerms): unknown[] {
  return [terms.free_arguments, terms.uses, terms.total_micros, terms.ttl_seconds];
}

/** Why that is no signature of the decision by the passkey, in words; null when it is one, of somebody who was there and verified. */
export function signatureFault(
  decision: Omit<SignedDecision, 'nonce'>,
  signature: DecisionSignature,
  { publicKey, rpId }: SigningKey,
): string | null {
  const [authenticatorData, clientData, signed] = (
    ['authenticator_data', 'client_data_json', 'signature'] as const
  ).map((member) => Buffer.from(signature[member], 'base64url')) as [Buffer, Buffer, Buffer];
  const challenge = decisionChallenge({ ...decision, nonce: signature.nonce });
  const client = clientFault(clientData, challenge, rpId);
  if (client !== null) return client;
  if (signature.rp_id !== rpId || !authenticatorData.subarray(0, 32).equals(hash('sha256', rpId, 'buffer')))
    return 'it was made for another site';
  if (authenticatorData.length < AUTHENTICATOR_DATA_MIN) return 'what the authenticator says of it is cut off';
  const flags = authenticatorData.readUInt8(32);
  if ((flags & USER_PRESENT) === 0 || (flags & USER_VERIFIED) === 0) return 'nobody was verified';
  const key = readCoseKey(publicKey);
  if (!key) return 'the passkey has no key that can be checked';
  const text = Buffer.concat([authenticatorData, hash('sha256', clientData, 'buffer')]);
  return isSigned(key, text, signed) ? null : 'it is not of this passkey';
}

function isSigned({ key, hash: by }: PasskeyKey, text: Buffer, signed: Buffer): boolean {
  try {
    return verify(by, text, key, signed);
  } catch {
    return false;
  }
}

/** The same of what the browser says: what was signed, and where. */
function clientFault(clientData: Buffer, challenge: Buffer, rpId: string): string | null {
  let client: Record<string, unknown>;
  try {
    client = parseStrictObject(clientData.toString('utf8'));
  } catch {
    return 'what the browser says of it is not JSON';
  }
  if (client['type'] !== 'webauthn.get') return 'it was not made to sign';
  if (client['challenge'] !== challenge.toString('base64url')) return 'something else was signed';
  if (client['crossOrigin'] === true) return 'it was made in the frame of another page';
  return isOfSite(client['origin'], rpId) ? null : 'it was made at an address that is not of its site';
}

/** Whether a page there may use passkeys of the site: it is the site or in it, over https or on this machine. */
function isOfSite(origin: unknown, rpId: string): boolean {
  if (typeof origin !== 'string' || !URL.canParse(origin)) return false;
  const { origin: whole, protocol, hostname } = new URL(origin);
  const isThere = hostname === rpId || hostname.endsWith(`.${rpId}`);
  const isLocal = hostname === 'localhost' || hostname.endsWith('.localhost');
  return whole === origin && isThere && (protocol === 'https:' || (protocol === 'http:' && isLocal));
}
