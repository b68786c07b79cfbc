import { createSecretKey, randomBytes } from 'node:crypto';
import { associatedData, keyVersionOf, open, seal, type SealedColumn, type VersionedKey } from '@haldir/crypto';
import { type Bindings } from './secret-binding.js';
import { SecretValue } from './secret-value.js';

/** Where a sealed value belongs. Moved anywhere else, its scope, expiry or bindings changed, it does not open. */
export interface SecretPlace {
  tenantId: string;
  secretId: string;
  name: string;
  version: number;
  scopeRequired: string;
  /** From then on it is refused; null when it never expires. */
  expiresAt: Date | null;
  /** Tools that it may be sent to. */
  bindings: Bindings;
}

/** A value under a data key of its own, and that key under the tenant's key. */
export interface SealedSecret {
  wrappedKey: Buffer;
  value: Buffer;
}

const KEY_BYTES = 32;

/** Seals under a fresh data key, which seals nothing else. */
export function sealSecret(tenantKey: VersionedKey, place: SecretPlace, value: SecretValue): SealedSecret {
  const material = randomBytes(KEY_BYTES);
  try {
    return {
      wrappedKey: seal(tenantKey.key, tenantKey.version, material, dataKeyPlace(place, tenantKey.version)),
      value: value.expose((bytes) => seal(createSecretKey(material), place.version, bytes, valuePlace(place))),
    };
  } finally {
    material.fill(0);
  }
}

/**
 * @param tenantKey of the version that `wrappedKey` names
 * @throws SealBroken when anything was altered, belongs elsewhere, or scope, expiry and bindings are not those it was sealed with
 */
export function openSecret(tenantKey: VersionedKey, place: SecretPlace, sealed: SealedSecret): SecretValue {
  const { wrappedKey } = sealed;
  const aad = dataKeyPlace(place, keyVersionOf(wrappedKey));
  const material = open(tenantKey.key, wrappedKey, aad);
  try {
    return new SecretValue(open(createSecretKey(material), sealed.value, valuePlace(place)));
  } finally {
    material.fill(0);
  }
}

function valuePlace(place: SecretPlace): Buffer {
  const { tenantId, secretId, name, version, scopeRequired, expiresAt, bindings } = place;
  const fields = [tenantId, secretId, name, version, scopeRequired];
  if (bindings.length > 0) {
    const expiry = expiresAt === null ? 'never' : expiresAt.getTime();
    return associatedData(['haldir.vault.value-bound.v1', ...fields, expiry, ...bindings]);
  }
  return expiresAt === null
    ? associatedData(['haldir.vault.value.v1', ...fields])
    : associatedData(['haldir.vault.value-expiring.v1', ...fields, expiresAt.getTime()]);
}

function dataKeyPlace({ tenantId, secretId, version }: SecretPlace, tenantKeyVersion: number): Buffer {
  return associatedData(dataKeyFields(tenantId, secretId, version, tenantKeyVersion));
}

function dataKeyFields(tenantId: string, secretId: string, version: number | string, tenantKeyVersion: number) {
  return ['haldir.vault.dek.v1', tenantId, secretId, version, tenantKeyVersion];
}

/** The data keys: sealed anew under another tenant's key, the values stay as they are. */
export const SEALED_DATA_KEYS: SealedColumn = {
  table: 'secret_version',
  column: 'wrapped_key',
  key: [
    { name: 'secret_id', type: 'text' },
    { name: 'version', type: 'integer' },
  ],
  placeOf: (tenantId, { secret_id: secretId = '', version = '' }, keyVersion) =>
    dataKeyFields(tenantId, secretId, version, keyVersion),
};
