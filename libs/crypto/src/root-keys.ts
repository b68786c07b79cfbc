import { createSecretKey, type KeyObject } from 'node:crypto';
import { Injectable } from '@nestjs/common';
import { ConfigError, HaldirConfig } from '@haldir/runtime';
import { associatedData, keyVersionOf, open, seal } from './blob.js';

/** The keys at the root of the tree, given by the operator. They wrap keys and nothing else. */
@Injectable()
export class RootKeys {
  private readonly keys: ReadonlyMap<number, KeyObject>;
  readonly activeId: number;

  constructor(config: HaldirConfig) {
    this.keys = new Map(config.rootKeys.map(({ id, key }) => [id, createSecretKey(key)]));
    const [active] = config.rootKeys;
    if (!active) throw new ConfigError('HALDIR_ROOT_KEYS should hold at least one key');
    this.activeId = active.id;
  }

  /** Wraps `key` under the active root key; the associated data names the place and the root key's id. */
  wrap(key: Uint8Array, place: readonly (string | number)[]): { rootKeyId: number; wrapped: Buffer } {
    const id = this.activeId;
    return { rootKeyId: id, wrapped: seal(this.rootKey(id), id, key, associatedData([...place, id])) };
  }

  /** @throws ConfigError naming the root key that is missing; SealBroken when the key does not fit */
  unwrap(wrapped: Uint8Array, place: readonly (string | number)[]): Buffer {
    const id = keyVersionOf(wrapped);
    return open(this.rootKey(id), wrapped, associatedData([...place, id]));
  }

  /** @throws ConfigError naming those of the root keys that are not configured */
  require(ids: readonly number[]): void {
    const missing = ids.filter((id) => !this.keys.has(id));
    if (missing.length === 0) return;
    const example = [this.activeId, ...missing].map((id) => `${id}:…`).join(',');
    throw new ConfigError(
      `HALDIR_ROOT_KEYS lacks ${missing.length === 1 ? 'key' : 'keys'} ${missing.join(', ')}, under which data is sealed; add what is missing, for example HALDIR_ROOT_KEYS=${example}`,
    );
  }

  /** A text by which a root key is known again. */
  canary(): { rootKeyId: number; canary: Buffer } {
    const { rootKeyId, wrapped } = this.wrap(Buffer.from('canary'), CANARY_PLACE);
    return { rootKeyId, canary: wrapped };
  }

  /** @throws ConfigError when the root key is configured, and is another one than the canary was made with */
  recognize(id: number, canary: Uint8Array): void {
    const key = this.keys.get(id);
    if (!key) return;
    try {
      open(key, canary, associatedData([...CANARY_PLACE, id]));
    } catch (error) {
      throw wrongRootKey(id, error);
    }
  }

  private rootKey(id: number): KeyObject {
    this.require([id]);
    return this.keys.get(id) as KeyObject;
  }
}

const CANARY_PLACE = ['haldir.root-key.canary.v1'];

export function wrongRootKey(id: number, cause: unknown): ConfigError {
  return new ConfigError(
    `HALDIR_ROOT_KEYS has a wrong key ${id}: it does not open what is in the database; give the one the data was sealed under`,
    { cause },
  );
}
