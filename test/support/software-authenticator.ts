import { createHash, generateKeyPairSync, type KeyObject, randomBytes, sign } from 'node:crypto';

const USER_PRESENT = 0x01;
const USER_VERIFIED = 0x04;
const HAS_CREDENTIAL = 0x40;

/** What a browser is given, as JSON. */
export interface PasskeyOptionsJson {
  challenge: string;
  rpId?: string;
  rp?: { id: string };
  user?: { id: string };
}

/** What an attacker would have otherwise. */
export interface Otherwise {
  origin?: string;
  rpId?: string;
  type?: string;
  challenge?: string;
  crossOrigin?: boolean;
  isVerified?: boolean;
  counter?: number;
  userHandle?: string;
  /** Of the attestation. */
  format?: string;
  /** A COSE_Key that is said to be its own. */
  coseKey?: Buffer;
}

/** A browser with an authenticator that makes passkeys of ES256 and keeps them (https://www.w3.org/TR/webauthn-3/), by node:crypto alone. */
export class SoftwareAuthenticator {
  readonly credentialId: Buffer;
  private readonly keys: { publicKey: KeyObject; privateKey: KeyObject };
  private userHandle = '';
  private counter = 0;

  constructor(
    private readonly origin: string,
    { credentialId = randomBytes(32) }: { credentialId?: Buffer } = {},
  ) {
    this.credentialId = credentialId;
    this.keys = generateKeyPairSync('ec', { namedCurve: 'P-256' });
  }

  /** What `navigator.credentials.create` answers, as JSON. */
  create(options: PasskeyOptionsJson, otherwise: Otherwise = {}) {
    this.userHandle = options.user?.id ?? '';
    const length = Buffer.alloc(2);
    length.writeUInt16BE(this.credentialId.length);
    const credential = Buffer.concat([
      Buffer.alloc(16),
      length,
      this.credentialId,
      otherwise.coseKey ?? this.coseKey(),
    ]);
    const data = Buffer.concat([this.authenticatorData(options.rp?.id ?? '', otherwise, HAS_CREDENTIAL), credential]);
    const attestation = Buffer.concat([
      Buffer.of(0xa3),
      ...[text('fmt'), text(otherwise.format ?? 'none'), text('attStmt'), Buffer.of(0xa0)],
      ...[text('authData'), bytes(data)],
    ]);
    const response = {
      clientDataJSON: this.clientData('webauthn.create', options, otherwise).toString('base64url'),
      attestationObject: attestation.toString('base64url'),
      transports: ['internal'],
    };
    const id = this.credentialId.toString('base64url');
    return { id, rawId: id, type: 'public-key', response, clientExtensionResults: {} };
  }

  /** What `navigator.credentials.get` answers, as JSON. */
  get(options: PasskeyOptionsJson, otherwise: Otherwise = {}) {
    this.counter = otherwise.counter ?? this.counter + 1;
    const data = this.authenticatorData(options.rpId ?? '', otherwise, 0);
    const client = this.clientData('webauthn.get', options, otherwise);
    const signed = Buffer.concat([data, createHash('sha256').update(client).digest()]);
    const response = {
      ...{ clientDataJSON: client.toString('base64url'), authenticatorData: data.toString('base64url') },
      signature: sign('sha256', signed, this.keys.privateKey).toString('base64url'),
      userHandle: otherwise.userHandle ?? this.userHandle,
    };
    const id = this.credentialId.toString('base64url');
    return { id, rawId: id, type: 'public-key', response, clientExtensionResults: {} };
  }

  private clientData(type: string, options: PasskeyOptionsJson, otherwise: Otherwise): Buffer {
    return Buffer.from(
      JSON.stringify({
        type: otherwise.type ?? type,
        challenge: otherwise.challenge ?? options.challenge,
        origin: otherwise.origin ?? this.origin,
        crossOrigin: otherwise.crossOrigin ?? false,
      }),
    );
  }

  private authenticatorData(rpId: string, otherwise: Otherwise, flags: number): Buffer {
    const head = Buffer.alloc(5);
    head[0] = flags | USER_PRESENT | (otherwise.isVerified === false ? 0 : USER_VERIFIED);
    head.writeUInt32BE(this.counter, 1);
    return Buffer.concat([
      createHash('sha256')
        .update(otherwise.rpId ?? rpId)
        .digest(),
      head,
    ]);
  }

  /** EC2, ES256, P-256, x and y (RFC 9053, 7.1.1). */
  coseKey(): Buffer {
    const { x = '', y = '' } = this.keys.publicKey.export({ format: 'jwk' }) as { x?: string; y?: string };
    const [atX, atY] = [Buffer.from(x, 'base64url'), Buffer.from(y, 'base64url')];
    return Buffer.concat([
      Buffer.of(0xa5, 0x01, 0x02, 0x03, 0x26, 0x20, 0x01, 0x21),
      ...[bytes(atX), Buffer.of(0x22), bytes(atY)],
    ]);
  }
}

/** CBOR (RFC 8949): a text of fewer than 24 bytes. */
function text(value: string): Buffer {
  return Buffer.concat([Buffer.of(0x60 + value.length), Buffer.from(value)]);
}

/** CBOR: bytes of 24 to 65,535. */
function bytes(value: Buffer): Buffer {
  const head =
    value.length < 256 ? Buffer.of(0x58, value.length) : Buffer.of(0x59, value.length >> 8, value.length & 255);
  return Buffer.concat([head, value]);
}
