import { createSecretKey, hkdfSync, type KeyObject, randomBytes } from 'node:crypto';
import { Injectable } from '@nestjs/common';
import { Clock, Unavailable } from '@haldir/kernel';
import { EVERY_TENANT, Transactions, type Tx } from '@haldir/database';
import { ConfigError, HaldirConfig } from '@haldir/runtime';
import { associatedData, keyVersionOf, open, seal, SealBroken } from './blob.js';
import { RootKeys, wrongRootKey } from './root-keys.js';
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
const START_LOCK = 7_247_411_003;
const CACHE_ENTRIES = 1000;
const CACHE_MS = 300_000;

const rememberRootKey = {
  name: 'root_key.remember.v1',
  text: 'INSERT INTO root_key (id, canary, created_at) VALUES ($1, $2, $3) ON CONFLICT DO NOTHING',
};
/** Until the transaction ends, no other key takes the place of the active one: whoever rotates takes the lock exclusively. */
const holdTenantKey = {
  name: 'tenant_key.hold.v1',
  text: `SELECT pg_advisory_xact_lock_shared(tenant_key_lock($1))`,
};
const activeTenantKey = {
  name: 'tenant_key.active.v1',
  text: `SELECT version, wrapped FROM tenant_key WHERE tenant_id = $1 AND state = 'active'`,
};
const tenantKeyByVersion = {
  name: 'tenant_key.by_version.v2',
  text: `SELECT version, wrapped FROM tenant_key WHERE tenant_id = $1 AND version = $2 AND state <> 'retired'`,
};

interface WrappedKey {
  version: number;
  wrapped: Buffer;
}

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
  private system: Buffer | undefined;

  constructor(
    private readonly rootKeys: RootKeys,
    private readonly transactions: Transactions,
    private readonly config: HaldirConfig,
    private readonly clock: Clock,
  ) {}

  /**
   * Opens the installation's key, making it on the very first start. To be called before the process takes requests:
   * it is also the check that the configured root keys are the right ones.
   *
   * @throws ConfigError naming the root key that is missing or wrong; no data is touched then
   */
  async load(): Promise<void> {
    this.system = await this.transactions.run(EVERY_TENANT, async (tx) => {
      await tx.query('SELECT pg_advisory_xact_lock($1)', [START_LOCK]);
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
    await tx.query('SELECT pg_advisory_xact_lock($1)', [START_LOCK]);
    await this.checkRootKeys(tx);
    const wrapped = await this.systemKey(tx, UNSEALED_SYSTEM_KEY);
    if (!wrapped || (await this.systemKey(tx, SYSTEM_KEY))) return false;
    this.system = this.unwrapSystemKey(UNSEALED_SYSTEM_KEY, wrapped);
    await sealAll();
    await this.rememberRootKey(tx);
    await this.keepSystemKey(tx, this.system);
    await tx.query('DELETE FROM system_key WHERE name = $1', [UNSEALED_SYSTEM_KEY]);
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
    await tx.query(
      'INSERT INTO tenant_key (tenant_id, version, root_key_id, wrapped, created_at) VALUES ($1, $2, $3, $4, $5)',
      [tenantId, version, rootKeyId, wrapped, this.clock.now()],
    );
  }

  /**
   * The key to seal with. Call it before the transaction locks anything else: it waits for a rotation of this tenant's key that
   * is just taking place, and none takes place until the transaction ends.
   *
   * @throws SealBroken when it is not the tenant's own
   * @throws Unavailable when the root key it is under is not configured; the cause names it
   */
  async sealingKey(tx: Tx, tenantId: string): Promise<VersionedKey> {
    const [, [row]] = await Promise.all([
      tx.query(holdTenantKey, [tenantId]),
      tx.query<WrappedKey>(activeTenantKey, [tenantId]),
    ]);
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
    const [row] = await (tx
      ? tx.query<WrappedKey>(tenantKeyByVersion, [tenantId, version])
      : this.transactions.query<WrappedKey>(tenantKeyByVersion, [tenantId, version]));
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
    const inUse = await tx.query<{ id: string }>('SELECT id FROM root_keys_in_use() AS id ORDER BY 1');
    this.rootKeys.require(inUse.map(({ id }) => Number(id)));
    const known = await tx.query<{ id: string; canary: Buffer }>('SELECT id, canary FROM root_key ORDER BY 1');
    for (const { id, canary } of known) this.rootKeys.recognize(Number(id), canary);
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
    const { rootKeyId, canary } = this.rootKeys.canary();
    await tx.query(rememberRootKey, [rootKeyId, canary, this.clock.now()]);
  }

  private async systemKey(tx: Tx, name: string): Promise<Buffer | null> {
    const [row] = await tx.query<{ wrapped: Buffer }>('SELECT wrapped FROM system_key WHERE name = $1', [name]);
    return row?.wrapped ?? null;
  }

  private async keepSystemKey(tx: Tx, system: Buffer): Promise<void> {
    const { rootKeyId, wrapped } = this.rootKeys.wrap(system, systemKeyPlace(SYSTEM_KEY));
    await tx.query('INSERT INTO system_key (name, root_key_id, wrapped, created_at) VALUES ($1, $2, $3, $4)', [
      ...[SYSTEM_KEY, rootKeyId, wrapped],
      this.clock.now(),
    ]);
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
