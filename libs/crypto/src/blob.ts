import { createCipheriv, createDecipheriv, type KeyObject, randomBytes } from 'node:crypto';

const FORMAT = 1;
const HEADER_BYTES = 5;
const NONCE_BYTES = 12;
const TAG_BYTES = 16;

/** A sealed value that does not open: altered, moved to another place, or sealed under another key. */
export class SealBroken extends Error {
  constructor(options?: ErrorOptions) {
    super('a sealed value does not open', options);
  }
}

/**
 * Associated data: each field as `uint32be(length) ‖ UTF-8`, so that no two lists of fields share their bytes.
 * It binds a sealed value to its place; opened anywhere else it fails.
 */
export function associatedData(fields: readonly (string | number)[]): Buffer {
  return Buffer.concat(
    fields.flatMap((field) => {
      const text = Buffer.from(String(field), 'utf8');
      const length = Buffer.alloc(4);
      length.writeUInt32BE(text.length);
      return [length, text];
    }),
  );
}

/** AES-256-GCM with a random nonce: `0x01 ‖ uint32be key version ‖ nonce(12) ‖ ciphertext ‖ tag(16)`. */
export function seal(
  key: KeyObject,
  keyVersion: number,
  plaintext: Uint8Array,
  aad: Uint8Array,
  nonce: Uint8Array = randomBytes(NONCE_BYTES),
): Buffer {
  const header = Buffer.alloc(HEADER_BYTES);
  header.writeUInt8(FORMAT, 0);
  header.writeUInt32BE(keyVersion, 1);
  const cipher = createCipheriv('aes-256-gcm', key, nonce, { authTagLength: TAG_BYTES });
  cipher.setAAD(aad);
  const ciphertext = Buffer.concat([cipher.update(plaintext), cipher.final()]);
  return Buffer.concat([header, nonce, ciphertext, cipher.getAuthTag()]);
}

/** @throws SealBroken when the blob is malformed, was altered, or belongs elsewhere */
export function open(key: KeyObject, blob: Uint8Array, aad: Uint8Array): Buffer {
  const bytes = Buffer.from(blob.buffer, blob.byteOffset, blob.byteLength);
  if (bytes.length < HEADER_BYTES + NONCE_BYTES + TAG_BYTES || bytes[0] !== FORMAT) throw new SealBroken();
  const ciphertextAt = HEADER_BYTES + NONCE_BYTES;
  const tagAt = bytes.length - TAG_BYTES;
  try {
    const decipher = createDecipheriv('aes-256-gcm', key, bytes.subarray(HEADER_BYTES, ciphertextAt), {
      authTagLength: TAG_BYTES,
    });
    decipher.setAAD(aad);
    decipher.setAuthTag(bytes.subarray(tagAt));
    return Buffer.concat([decipher.update(bytes.subarray(ciphertextAt, tagAt)), decipher.final()]);
  } catch (error) {
    throw new SealBroken({ cause: error });
  }
}

/**
 * The version of the key a blob was sealed under; never found by trial.
 *
 * @throws SealBroken when the blob is too short or of another format
 */
export function keyVersionOf(blob: Uint8Array): number {
  if (blob.length < HEADER_BYTES || blob[0] !== FORMAT) throw new SealBroken();
  return Buffer.from(blob.buffer, blob.byteOffset, HEADER_BYTES).readUInt32BE(1);
}
