import { createSecretKey, hkdfSync, type KeyObject, randomBytes } from 'node:crypto';
import { Injectable } from '@nestjs/common';
import { Clock, Unavailable } from '@haldir/kernel';
import { EVERY_TENANT, Transactions, type Tx } from '@haldir/database';
import { ConfigError, HaldirConfig } from '@haldir/runtime';
import { associatedData, keyVersionOf, open, seal, SealBroken } from './blob.js';
import { RootKeys, wrongRootKey } from './root-keys.js';
import { RootKeyRepository } from './root-key.repository.js';
import { SystemKeyRepository } from './system-key.repository.js';
import { TenantKeyRepository, type WrappedKey } from './tenant-key.repository.js';
import { LRUCache } from 'lru-cache';

export interface VersionedKey {
  version: number;
  key: KeyObject;
}

/**
 * The name is bound to the key, so a row by that name was written by this version or a later one: from then on no grant
 * without a MAC counts, whoever takes MACs away.
 */
const SYSTEM_KEY = 'installation';
/** As it was called while grants had no MACs. */
const UNSEALED_SYSTEM_KEY = 'master';
const CACHE_ENTRIES = 1000;
const CACHE_MS = 300_000;

/**
 * The tenant has no key of that version: nobody ever had it, or it is retired. A value read before its key was retired is under
 * another one by now, so whoever reads it again can open it.
 */
export class TenantKeyGone extends SealBroken {}

/**
 * The keys below the root: one for the installation, and versioned ones per tenant. Tenant keys are unwrapped when
 * first needed and kept as `KeyObject`s for five minutes at most, a thousand at most.
 */
@Injectable()
export class KeyRing {
  private readonly tenantKeys = new LRUCache<string, VersionedKey & { until: number }>({ max: CACHE_ENTRIES });
  private readonly rootKeyRows = new RootKeyRepository();
  private readonly systemKeys = new SystemKeyRepository();
  private readonly tenantKeyRows: TenantKeyRepository;
  private system: Buffer | undefined;

  constructor(
    private readonly rootKeys: RootKeys,
    private readonly transactions: Transactions,
    private readonly config: HaldirConfig,
    private readonly clock: Clock,
  ) {
    this.tenantKeyRows = new TenantKeyRepository(transactions);
  }

  /**
   * Opens the installation's key, making it on the very first start. To be called before the process takes requests:
   * it is also the check that the configured root keys are the right ones.
   *
   * @throws ConfigError naming the root key that is missing or wrong; no data is touched then
   */
  async load(): Promise<void> {
    this.system = await this.transactions.run(EVERY_TENANT, async (tx) => {
      await this.systemKeys.in(tx).hold();
      await this.checkRootKeys(tx);
      const wrapped = await this.systemKey(tx, SYSTEM_KEY);
      if (!wrapped && (await this.systemKey(tx, UNSEALED_SYSTEM_KEY))) {
        throw new ConfigError(
          'the grants in the database have no MACs yet; run haldir migrate, with HALDIR_ROOT_KEYS set',
        );
      }
      const system = wrapped ? this.unwrapSystemKey(SYSTEM_KEY, wrapped) : randomBytes(32);
      await this.rememberRootKey(tx);
      if (!wrapped) await this.keepSystemKey(tx, system);
      return system;
    });
  }

  /**
   * Brings an installation whose grants have no MACs to one whose grants have: `sealAll` gives them theirs. Does nothing for any
   * other, so it is done once: afterwards no key opens by the old name.
   *
   * @returns whether it was done now
   * @throws ConfigError naming the root key that is missing or wrong
   */
  async sealGrantsOnce(tx: Tx, sealAll: () => Promise<void>): Promise<boolean> {
    await this.systemKeys.in(tx).hold();
    await this.checkRootKeys(tx);
    const wrapped = await this.systemKey(tx, UNSEALED_SYSTEM_KEY);
    if (!wrapped || (await this.systemKey(tx, SYSTEM_KEY))) return false;
    this.system = this.unwrapSystemKey(UNSEALED_SYSTEM_KEY, wrapped);
    await sealAll();
    await this.rememberRootKey(tx);
    await this.keepSystemKey(tx, this.system);
    await this.systemKeys.in(tx).remove(UNSEALED_SYSTEM_KEY);
    return true;
  }

  /** A key of the installation for one purpose (HKDF-SHA256); `purpose` names it and its version. */
  derive(purpose: string): KeyObject {
    if (!this.system) throw new Error('the key ring was not loaded');
    return createSecretKey(Buffer.from(hkdfSync('sha256', this.system, '', purpose, 32)));
  }

  /** The key under which API keys are hashed: the operator's pepper where one is set. */
  pepper(): KeyObject {
    const { keyPepper } = this.config;
    return keyPepper === null
      ? this.derive('haldir.api-key-pepper.v1')
      : createSecretKey(Buffer.from(keyPepper, 'utf8'));
  }

  /** Makes the first key of a tenant, in the transaction that makes the tenant. */
  async createTenantKey(tx: Tx, tenantId: string): Promise<void> {
    const version = 1;
    const { rootKeyId, wrapped } = this.rootKeys.wrap(randomBytes(32), tenantKeyPlace(tenantId, version));
    const createdAt = this.clock.now();
    await this.tenantKeyRows.in(tx).insert({ tenantId, version, rootKeyId, wrapped, createdAt });
  }

  /**
   * The key to seal with. Call it before the transaction locks anything else: it waits for a rotation of this tenant's key that
   * is just taking place, and none takes place until the transaction ends.
   *
   * @throws SealBroken when it is not the tenant's own
   * @throws Unavailable when the root key it is under is not configured; the cause names it
   */
  async sealingKey(tx: Tx, tenantId: string): Promise<VersionedKey> {
    const row = await this.tenantKeyRows.in(tx).holdActive(tenantId);
    if (!row) throw new TenantKeyGone();
    return this.cached(tenantId, row.version) ?? this.keep(tenantId, row);
  }

  /**
   * The tenant's key of that version, to open with.
   *
   * @param tx where the caller is in a transaction, so that none waits for a second connection
   * @throws TenantKeyGone when there is none, SealBroken when it is not the tenant's own
   * @throws Unavailable when the root key it is under is not configured; the cause names it
   */
  async tenantKey(tenantId: string, version: number, tx?: Tx): Promise<VersionedKey> {
    const cached = this.cached(tenantId, version);
    if (cached) return cached;
    const row = await this.tenantKeyRows.find(tenantId, version, tx);
    if (!row) throw new TenantKeyGone();
    return this.keep(tenantId, row);
  }

  /** Seals under the tenant's active key; `place` is bound to the value and must be given again to open it. See `sealingKey`. */
  async sealFor(tx: Tx, tenantId: string, plaintext: Uint8Array, place: readonly (string | number)[]): Promise<Buffer> {
    const { key, version } = await this.sealingKey(tx, tenantId);
    return seal(key, version, plaintext, associatedData(place));
  }

  /**
   * @param tx where the caller is in a transaction
   * @throws SealBroken when the value was altered or belongs elsewhere; TenantKeyGone when it is worth reading again
   */
  async openFor(tenantId: string, blob: Uint8Array, place: readonly (string | number)[], tx?: Tx): Promise<Buffer> {
    const { key } = await this.tenantKey(tenantId, keyVersionOf(blob), tx);
    return open(key, blob, associatedData(place));
  }

  private cached(tenantId: string, version: number): VersionedKey | undefined {
    const entry = this.tenantKeys.get(`${tenantId}:${version}`);
    return entry && entry.until > this.clock.now().getTime() ? entry : undefined;
  }

  private keep(tenantId: string, row: WrappedKey): VersionedKey {
    const material = this.unwrapTenantKey(tenantId, row);
    const until = this.clock.now().getTime() + CACHE_MS;
    const entry = { version: row.version, key: createSecretKey(material), until };
    material.fill(0);
    this.tenantKeys.set(`${tenantId}:${row.version}`, entry);
    return entry;
  }

  /** Every key that something is sealed under is configured, and each configured one is the one it was. */
  private async checkRootKeys(tx: Tx): Promise<void> {
    const rootKeys = this.rootKeyRows.in(tx);
    this.rootKeys.require(await rootKeys.inUse());
    for (const { id, canary } of await rootKeys.known()) this.rootKeys.recognize(id, canary);
  }

  private unwrapTenantKey(tenantId: string, { version, wrapped }: WrappedKey): Buffer {
    try {
      return this.rootKeys.unwrap(wrapped, tenantKeyPlace(tenantId, version));
    } catch (error) {
      if (!(error instanceof ConfigError)) throw error;
      throw new Unavailable('The key of the tenant is not there right now', { cause: error });
    }
  }

  private async rememberRootKey(tx: Tx): Promise<void> {
    const { rootKeyId: id, canary } = this.rootKeys.canary();
    await this.rootKeyRows.in(tx).remember({ id, canary, createdAt: this.clock.now() });
  }

  private async systemKey(tx: Tx, name: string): Promise<Buffer | null> {
    return (await this.systemKeys.in(tx).find(name))?.wrapped ?? null;
  }

  private async keepSystemKey(tx: Tx, system: Buffer): Promise<void> {
    const { rootKeyId, wrapped } = this.rootKeys.wrap(system, systemKeyPlace(SYSTEM_KEY));
    const createdAt = this.clock.now();
    await this.systemKeys.in(tx).insert({ name: SYSTEM_KEY, rootKeyId, wrapped, createdAt });
  }

  private unwrapSystemKey(name: string, wrapped: Buffer): Buffer {
    try {
      return this.rootKeys.unwrap(wrapped, systemKeyPlace(name));
    } catch (error) {
      throw error instanceof SealBroken ? wrongRootKey(keyVersionOf(wrapped), error) : error;
    }
  }
}

export function tenantKeyPlace(tenantId: string, version: number): (string | number)[] {
  return ['haldir.vault.tkek.v1', tenantId, version];
}

export function systemKeyPlace(name: string): string[] {
  return ['haldir.system-key.v1', name];
}
