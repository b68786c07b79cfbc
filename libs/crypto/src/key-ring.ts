import { createSecretKey, hkdfSync, type KeyObject, randomBytes } from 'node:crypto';
import { Inject, Injectable } from '@nestjs/common';
import { Clock, Unavailable } from '@haldir/kernel';
import { EVERY_TENANT, Transactions, type Tx } from '@haldir/database';
import { ConfigError, HaldirConfig } from '@haldir/runtime';
import { associatedData, keyVersionOf, open, seal, SealBroken } from './blob.js';
import { RootKeys } from './root-keys.js';

export interface VersionedKey {
  version: number;
  key: KeyObject;
}

const SYSTEM_KEY = 'master';
const CACHE_ENTRIES = 1000;
const CACHE_MS = 300_000;

const newestTenantKey = {
  name: 'tenant_key.newest.v1',
  text: `SELECT version, wrapped FROM tenant_key WHERE tenant_id = $1 AND state = 'active' ORDER BY version DESC LIMIT 1`,
};
const tenantKeyByVersion = {
  name: 'tenant_key.by_version.v1',
  text: `SELECT version, wrapped FROM tenant_key WHERE tenant_id = $1 AND version = $2 AND state <> 'retired'`,
};

/**
 * The keys below the root: one for the installation, and versioned ones per tenant. Tenant keys are unwrapped when
 * first needed and kept as `KeyObject`s for five minutes at most, a thousand at most.
 */
@Injectable()
export class KeyRing {
  private readonly tenantKeys = new Map<string, VersionedKey & { until: number }>();
  private system: Buffer | undefined;

  constructor(
    @Inject(RootKeys) private readonly rootKeys: RootKeys,
    @Inject(Transactions) private readonly transactions: Transactions,
    @Inject(HaldirConfig) private readonly config: HaldirConfig,
    @Inject(Clock) private readonly clock: Clock,
  ) {}

  /**
   * Opens the installation's key, making it on the very first start. To be called before the process takes requests:
   * it is also the check that the configured root keys are the right ones.
   *
   * @throws ConfigError naming the root key that is missing or wrong; no data is touched then
   */
  async load(): Promise<void> {
    this.system = await this.transactions.run(EVERY_TENANT, async (tx) => {
      await tx.query('SELECT pg_advisory_xact_lock(7247411003)');
      const [row] = await tx.query<{ wrapped: Buffer }>('SELECT wrapped FROM system_key WHERE name = $1', [SYSTEM_KEY]);
      if (row) return this.unwrapSystemKey(row.wrapped);
      const fresh = randomBytes(32);
      const { rootKeyId, wrapped } = this.rootKeys.wrap(fresh, ['haldir.system-key.v1', SYSTEM_KEY]);
      await tx.query('INSERT INTO system_key (name, root_key_id, wrapped, created_at) VALUES ($1, $2, $3, $4)', [
        SYSTEM_KEY,
        rootKeyId,
        wrapped,
        this.clock.now(),
      ]);
      return fresh;
    });
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
   * The tenant's key of that version, or the newest active one to seal with.
   *
   * @throws SealBroken when there is none, or not the tenant's own
   * @throws Unavailable when the root key it is under is not configured; the cause names it
   */
  async tenantKey(tenantId: string, version?: number): Promise<VersionedKey> {
    const cacheKey = `${tenantId}:${version ?? 'newest'}`;
    const now = this.clock.now().getTime();
    const cached = this.tenantKeys.get(cacheKey);
    if (cached && cached.until > now) return cached;
    const [row] =
      version === undefined
        ? await this.transactions.query<{ version: number; wrapped: Buffer }>(newestTenantKey, [tenantId])
        : await this.transactions.query<{ version: number; wrapped: Buffer }>(tenantKeyByVersion, [tenantId, version]);
    if (!row) throw new SealBroken();
    const material = this.unwrapTenantKey(tenantId, row);
    const entry = { version: row.version, key: createSecretKey(material), until: now + CACHE_MS };
    material.fill(0);
    if (this.tenantKeys.size >= CACHE_ENTRIES) this.tenantKeys.delete(this.tenantKeys.keys().next().value ?? '');
    this.tenantKeys.set(cacheKey, entry);
    return entry;
  }

  /** Seals under the tenant's newest key; `place` is bound to the value and must be given again to open it. */
  async sealFor(tenantId: string, plaintext: Uint8Array, place: readonly (string | number)[]): Promise<Buffer> {
    const { key, version } = await this.tenantKey(tenantId);
    return seal(key, version, plaintext, associatedData(place));
  }

  /** @throws SealBroken when the value was altered or belongs elsewhere */
  async openFor(tenantId: string, blob: Uint8Array, place: readonly (string | number)[]): Promise<Buffer> {
    const { key } = await this.tenantKey(tenantId, keyVersionOf(blob));
    return open(key, blob, associatedData(place));
  }

  /** Forgets the tenant keys held, after a rotation. */
  forget(): void {
    this.tenantKeys.clear();
  }

  private unwrapTenantKey(tenantId: string, { version, wrapped }: { version: number; wrapped: Buffer }): Buffer {
    try {
      return this.rootKeys.unwrap(wrapped, tenantKeyPlace(tenantId, version));
    } catch (error) {
      if (!(error instanceof ConfigError)) throw error;
      throw new Unavailable('The key of the tenant is not there right now', { cause: error });
    }
  }

  private unwrapSystemKey(wrapped: Buffer): Buffer {
    try {
      return this.rootKeys.unwrap(wrapped, ['haldir.system-key.v1', SYSTEM_KEY]);
    } catch (error) {
      if (!(error instanceof SealBroken)) throw error;
      throw new ConfigError(
        `HALDIR_ROOT_KEYS has a wrong key ${keyVersionOf(wrapped)}: it does not open what is in the database; give the one the data was sealed under`,
      );
    }
  }
}

function tenantKeyPlace(tenantId: string, version: number): (string | number)[] {
  return ['haldir.vault.tkek.v1', tenantId, version];
}
