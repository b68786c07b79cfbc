// Reads what browsers answer to navigator.credentials (https://www.w3.org/TR/webauthn-3/), by @simplewebauthn/server.
import {
  type AuthenticationResponseJSON,
  type RegistrationResponseJSON,
  verifyAuthenticationResponse,
  verifyRegistrationResponse,
} from '@simplewebauthn/server';
import {
  cose,
  decodeAttestationObject,
  decodeClientDataJSON,
  decodeCredentialPublicKey,
} from '@simplewebauthn/server/helpers';
import { type Passkey } from './passkey.entity.js';
import { type OpenChallenge } from './passkey-challenges.js';

/** ES256, EdDSA, RS256, as numbers of COSE (https://www.iana.org/assignments/cose). */
export const ALGORITHMS = [-7, -8, -257];
/** The least number of 2048 bits. */
const RSA_MODULUS_MIN = 2n ** 2047n;
/** 65537, as all authenticators have it: 1 would let anybody sign. */
const RSA_EXPONENT = '010001';
/** RS256 of 4096 bits has some 530. */
const PUBLIC_KEY_MAX_BYTES = 1024;

/** In base64url, as `toJSON` of a PublicKeyCredential has it: of one that was made. */
export interface Attestation {
  id: string;
  response: { clientDataJSON: string; attestationObject: string };
}

/** The same of one that has signed. */
export interface Assertion {
  id: string;
  response: { clientDataJSON: string; authenticatorData: string; signature: string };
}

/** And that says whose it is. */
export interface NamedAssertion extends Assertion {
  response: Assertion['response'] & { userHandle: string };
}

/** Where it has to have been done. */
export interface Place {
  /** Of the page, whole. */
  origin: string;
  rpId: string;
}

/** @param challenge in base64url */
type ReadChallenge<Challenge> = (challenge: string) => Challenge | null;

/** A credential as it was made, with somebody there who was verified; null for one that is not good, whatever the reason. */
export async function readAttestation(
  { id, response }: Attestation,
  { origin, rpId }: Place,
  readChallenge: ReadChallenge<OpenChallenge>,
): Promise<{
  credentialId: Buffer;
  publicKey: Buffer;
  algorithm: number;
  counter: number;
  challenge: OpenChallenge;
} | null> {
  try {
    const challenge = challengeOf(response.clientDataJSON, readChallenge);
    if (!challenge || hasCertificates(response.attestationObject)) return null;
    const { verified, registrationInfo } = await verifyRegistrationResponse({
      response: { ...publicKey(id), response } satisfies RegistrationResponseJSON,
      // Read above.
      expectedChallenge: () => true,
      expectedOrigin: origin,
      expectedRPID: rpId,
      requireUserVerification: true,
      supportedAlgorithmIDs: ALGORITHMS,
    });
    if (!verified || registrationInfo.credential.id !== id) return null;
    const { credential } = registrationInfo;
    if (credential.publicKey.length > PUBLIC_KEY_MAX_BYTES) return null;
    const algorithm = algorithmOf(credential.publicKey);
    if (algorithm === null) return null;
    return {
      credentialId: Buffer.from(id, 'base64url'),
      publicKey: Buffer.from(credential.publicKey),
      algorithm,
      counter: credential.counter,
      challenge,
    };
  } catch {
    // Its reasons repeat what was sent.
    return null;
  }
}

/** What was signed by that passkey, with somebody there who was verified; null where it was not, whatever the reason. */
export async function readAssertion<Challenge>(
  { id, response }: Assertion,
  passkey: Pick<Passkey, 'publicKey' | 'counter'>,
  { origin, rpId }: Place,
  readChallenge: ReadChallenge<Challenge>,
): Promise<{ counter: number; challenge: Challenge } | null> {
  try {
    const challenge = challengeOf(response.clientDataJSON, readChallenge);
    if (!challenge) return null;
    const { clientDataJSON, authenticatorData, signature } = response;
    const { verified, authenticationInfo } = await verifyAuthenticationResponse({
      response: {
        ...publicKey(id),
        response: { clientDataJSON, authenticatorData, signature },
      } satisfies AuthenticationResponseJSON,
      // Read above.
      expectedChallenge: () => true,
      expectedOrigin: origin,
      expectedRPID: rpId,
      requireUserVerification: true,
      credential: { id, publicKey: new Uint8Array(passkey.publicKey), counter: passkey.counter },
    });
    return verified ? { counter: authenticationInfo.newCounter, challenge } : null;
  } catch {
    return null;
  }
}

/** That of a key which is of the kind and the strength that it asks for (RFC 9053, RFC 8230); null for any other. */
function algorithmOf(publicKey: Uint8Array<ArrayBuffer>): number | null {
  const key = decodeCredentialPublicKey(publicKey);
  const algorithm = key.get(cose.COSEKEYS.alg) ?? null;
  switch (algorithm) {
    case cose.COSEALG.ES256:
      return cose.isCOSEPublicKeyEC2(key) && key.get(cose.COSEKEYS.crv) === cose.COSECRV.P256 ? algorithm : null;
    case cose.COSEALG.EdDSA:
      return cose.isCOSEPublicKeyOKP(key) && key.get(cose.COSEKEYS.crv) === cose.COSECRV.ED25519 ? algorithm : null;
    case cose.COSEALG.RS256:
      return cose.isCOSEPublicKeyRSA(key) && isStrong(key) ? algorithm : null;
    default:
      return null;
  }
}

function isStrong(key: cose.COSEPublicKeyRSA): boolean {
  const [modulus, exponent] = [cose.COSEKEYS.n, cose.COSEKEYS.e].map((name) =>
    Buffer.from(key.get(name as cose.COSEKEYS.n) ?? []).toString('hex'),
  );
  return BigInt(`0x${modulus}`) >= RSA_MODULUS_MIN && exponent === RSA_EXPONENT;
}

/** Of a page that stands in no other's frame. */
function challengeOf<Challenge>(clientDataJSON: string, read: ReadChallenge<Challenge>): Challenge | null {
  const { challenge, crossOrigin } = decodeClientDataJSON(clientDataJSON);
  return crossOrigin === true ? null : read(challenge);
}

/**
 * None are asked for. Checking them would have the library fetch lists of revoked ones from wherever they say, which is for whoever
 * sends them to choose.
 */
function hasCertificates(attestationObject: string): boolean {
  const decoded = decodeAttestationObject(new Uint8Array(Buffer.from(attestationObject, 'base64url')));
  const format = decoded.get('fmt');
  return format !== 'none' && (format !== 'packed' || decoded.get('attStmt').get('x5c') !== undefined);
}

function publicKey(id: string) {
  return { id, rawId: id, type: 'public-key' as const, clientExtensionResults: {} };
}
