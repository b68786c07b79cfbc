import { createSecretKey, type KeyObject } from 'node:crypto';
import { Inject, Injectable } from '@nestjs/common';
import { ConfigError, HaldirConfig } from '@haldir/runtime';
import { associatedData, keyVersionOf, open, seal } from './blob.js';

/** The keys at the root of the tree, given by the operator. They wrap keys and nothing else. */
@Injectable()
export class RootKeys {
  private readonly keys: ReadonlyMap<number, KeyObject>;
  readonly activeId: number;

  constructor(@Inject(HaldirConfig) config: HaldirConfig) {
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

  private rootKey(id: number): KeyObject {
    const key = this.keys.get(id);
    if (!key) {
      throw new ConfigError(
        `HALDIR_ROOT_KEYS lacks key ${id}, under which data is sealed; add it, for example HALDIR_ROOT_KEYS=${this.activeId}:…,${id}:…`,
      );
    }
    return key;
  }
}
