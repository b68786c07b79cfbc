import { type KeyObject, timingSafeEqual } from 'node:crypto';
import { Injectable } from '@nestjs/common';
import { type Actor, type AgentGrant, Clock, type ConnectorGrant, haldirActor, InvalidInput } from '@haldir/kernel';
import { AuditLog } from '@haldir/audit-log';
import { GrantSeal, KeyRing } from '@haldir/crypto';
import { type Tx } from '@haldir/database';
import { type Authenticator, type Caller, grantsKeyScope, KEY_SCOPES, Unauthenticated } from '@haldir/http';
import { HaldirConfig, type Tier, TIERS } from '@haldir/runtime';
import { digestOf, hashApiKey, keyPrefix, newApiKey, publicIdOf } from './api-key-format.js';
import { ApiKey, ceilingOf, connectingOf } from './api-key.entity.js';
import { type ApiKeyFilter, ApiKeyRepository } from './api-key.repository.js';
import { FirstKeyDoor } from './first-key-door.js';
import { ApiKeyNotFound, KeyBeyondGrant } from './gate.errors.js';
import { KEY_GRANT, type KeyGrant, keyGrant } from './grants.js';
import { actorOf, describeConnector, describeGrant, grantsOf } from './key-kinds.js';
import { type TenantStanding, Tenants } from './tenants.js';
import { UsageMeter } from './usage-meter.js';

export interface NewKey {
  name: string;
  tier: Tier;
  scopes: string[];
  /** Of a key that acts as one agent, the ceiling of what it does; null for every other. */
  grant: AgentGrant | null;
  /** Of a key that stands for one upstream; null for every other. */
  connector: ConnectorGrant | null;
  /** Null for one that does not end by itself. */
  expiresAt: Date | null;
}

/** How a key is replaced. */
interface KeyRotation {
  /** How long the old secret is good beside the new one. */
  overlapSeconds: number;
  /** Of the new one; as the old one had it when absent. */
  expiresAt: Date | null | undefined;
}

export interface RotatedKey {
  minted: MintedKey;
  /** The public prefix of the old secret, and when that ends. */
  replaces: string;
  replacedUntil: Date;
}

/** A key just made; `key` is shown once and never again. */
export interface MintedKey extends NewKey {
  key: string;
  prefix: string;
  principalId: string;
}

@Injectable()
export class ApiKeyService implements Authenticator {
  private pepperKey: KeyObject | undefined;

  constructor(
    private readonly keys: ApiKeyRepository,
    private readonly tenants: Tenants,
    private readonly keyRing: KeyRing,
    private readonly seal: GrantSeal,
    private readonly auditLog: AuditLog,
    private readonly door: FirstKeyDoor,
    private readonly usage: UsageMeter,
    private readonly config: HaldirConfig,
    private readonly clock: Clock,
  ) {}

  async authenticate(key: string, isRequest: boolean): Promise<Caller | null> {
    const publicId = publicIdOf(key);
    if (publicId === null) return null;
    const record = await this.keys.findLive(publicId);
    if (!record || !timingSafeEqual(record.hash, hashApiKey(this.pepper(), key))) return null;
    if (!this.isIntact(record) || !isLive(record, this.clock.now())) return null;
    if (isRequest) this.usage.count(record.tenantId, publicId);
    return {
      actor: actorOf(record),
      session: record.session,
      keyId: publicId,
      tier: record.tier,
      tenantTier: record.tenantTier,
      isOperator: record.isOperator,
      scopes: record.scopes,
    };
  }

  /**
   * The very first key of all, of the operator's tenant; of racing first calls exactly one gets it.
   *
   * @throws Unauthenticated once the operator's tenant had a key, or a person who signed in
   */
  async mintFirst(tx: Tx, key: NewKey): Promise<MintedKey> {
    await this.tenants.hold(tx);
    await this.door.pass(tx);
    refuseAsFirst(key);
    const standing = await this.tenants.operators(tx);
    await this.tenants.shutDoor(tx, standing.tenantId, 'key');
    return this.insert(tx, standing, key);
  }

  /** @throws Unauthenticated when the token is not the operator's */
  checkBootstrapToken(token: string): void {
    const expected = this.config.bootstrap.token;
    if (expected === null || !timingSafeEqual(digestOf(expected), digestOf(token))) {
      throw new Unauthenticated('Missing or wrong bootstrap_token');
    }
  }

  /** The first key of a new tenant, whose tier is the key's; for whoever has the operator's token. */
  async mintForNewTenant(tx: Tx, key: NewKey): Promise<MintedKey> {
    refuseAsFirst(key);
    await this.tenants.hold(tx);
    return this.insert(tx, await this.tenants.create(tx, key.tier), key);
  }

  /**
   * A further key of the caller's tenant.
   *
   * @throws KeyBeyondGrant when it would have a scope the caller's key lacks, or a tier over its tenant's
   */
  mint(tx: Tx, caller: Caller, key: NewKey): Promise<MintedKey> {
    if (!caller.isOperator && TIERS.indexOf(key.tier) > TIERS.indexOf(caller.tenantTier)) {
      throw new KeyBeyondGrant(`A key of this tenant has at most the tier ${caller.tenantTier}`, 'tier_not_allowed');
    }
    this.refuseBeyond(caller, key);
    return this.insert(tx, standingOf(caller), key, caller.actor);
  }

  /**
   * Another secret for the principal of a live key, whose own is good for a while yet.
   *
   * @throws ApiKeyNotFound; KeyBeyondGrant when the key has a scope that the caller's lacks: its secret would be the caller's
   */
  async rotate(tx: Tx, caller: Caller, prefix: string, rotation: KeyRotation): Promise<RotatedKey> {
    const standing = standingOf(caller);
    const now = this.clock.now();
    const old = await this.keys.in(tx).lock(standing.tenantId, publicIdIn(prefix));
    if (!old || !isLive(old, now) || !this.isIntact({ ...old, ...standing, ...grantsOf(old) }))
      throw new ApiKeyNotFound();
    this.refuseBeyond(caller, { scopes: old.scopes, ...grantsOf(old) });

    const overlapEnds = new Date(now.getTime() + rotation.overlapSeconds * 1000);
    const endsAt = old.expiresAt !== null && old.expiresAt < overlapEnds ? old.expiresAt : overlapEnds;
    const { key, publicId } = newApiKey();
    const fresh = Object.assign(new ApiKey(), old, {
      publicId,
      hash: hashApiKey(this.pepper(), key),
      createdAt: now,
      lastUsedAt: null,
      expiresAt: rotation.expiresAt === undefined ? old.expiresAt : rotation.expiresAt,
    });
    if (!isLive(fresh, now)) throw new InvalidInput('expires_at: expected a time to come');
    await this.keys.in(tx).insert(this.sealed(fresh, standing));
    await this.keys.in(tx).replace(this.sealed(Object.assign(old, { expiresAt: endsAt }), standing), now);
    this.record(tx, caller.actor, 'api_key_rotated', {
      prefix: keyPrefix(publicId),
      replaces: keyPrefix(old.publicId),
      principal: old.principalId,
      overlap_ends_at: endsAt.toISOString(),
      by: caller.actor.id,
    });
    const { name, tier, scopes, expiresAt, principalId } = fresh;
    return {
      minted: { name, tier, scopes, expiresAt, principalId, ...grantsOf(fresh), key, prefix: keyPrefix(publicId) },
      replaces: keyPrefix(old.publicId),
      replacedUntil: endsAt,
    };
  }

  /** @throws ApiKeyNotFound when the tenant has no such key */
  async revoke(tx: Tx, actor: Actor, prefix: string): Promise<void> {
    const publicId = publicIdIn(prefix);
    if (!(await this.keys.in(tx).revoke(actor.tenantId, publicId, this.clock.now()))) throw new ApiKeyNotFound();
    this.record(tx, actor, 'api_key_revoked', { prefix: keyPrefix(publicId), by: actor.id });
  }

  list(
    tenantId: string,
    filter: ApiKeyFilter,
    limit: number,
    after: { createdAt: Date; publicId: string } | null,
  ): Promise<ApiKey[]> {
    return this.keys.list(tenantId, filter, this.clock.now(), limit, after);
  }

  /** Keys the tenant ever made, revoked ones included. */
  count(tenantId: string): Promise<number> {
    return this.keys.count(tenantId);
  }

  /** @throws InvalidInput for an end that has passed */
  private async insert(tx: Tx, standing: TenantStanding, newKey: NewKey, by?: Actor): Promise<MintedKey> {
    if (!isLive(newKey, this.clock.now())) throw new InvalidInput('expires_at: expected a time to come');
    const { tenantId } = standing;
    const { name, tier, scopes, grant, connector, expiresAt } = newKey;
    const { key, publicId } = newApiKey();
    const principalId = keyPrefix(publicId);
    const row = Object.assign(new ApiKey(), {
      tenantId,
      publicId,
      principalId,
      name,
      tier,
      scopes,
      expiresAt,
      kind: grant ? 'agent' : connector ? 'connector' : 'key',
      ...ceilingOf(grant),
      ...connectingOf(connector),
      hash: hashApiKey(this.pepper(), key),
      createdAt: this.clock.now(),
    });
    await this.keys.in(tx).insert(this.sealed(row, standing));
    this.record(tx, by ?? haldirActor(tenantId), 'api_key_created', {
      prefix: keyPrefix(publicId),
      tier,
      scopes,
      ...(grant ? { agent: describeGrant(grant) } : {}),
      ...(connector ? { connector: describeConnector(connector) } : {}),
      ...(expiresAt === null ? {} : { expires_at: expiresAt.toISOString() }),
      by: by?.id ?? null,
    });
    return { ...newKey, key, prefix: keyPrefix(publicId), principalId };
  }

  /** @throws KeyBeyondGrant */
  private refuseBeyond(caller: Caller, { scopes, connector }: Pick<NewKey, 'scopes' | 'connector'>): void {
    const beyond = KEY_SCOPES.find((scope) => grantsKeyScope(scopes, scope) && !grantsKeyScope(caller.scopes, scope));
    if (beyond !== undefined) throw new KeyBeyondGrant('A key can only pass on scopes it has itself', 'scope_not_held');
    if (connector && !grantsKeyScope(caller.scopes, 'proxy:write'))
      throw new KeyBeyondGrant(
        'A key passes on the registration of an upstream only if it has proxy:write',
        'scope_not_held',
      );
    if (connector && connector.secrets.length > 0 && !grantsKeyScope(caller.scopes, 'vault:read'))
      throw new KeyBeyondGrant('A key passes on the reading of secrets only if it has vault:read', 'scope_not_held');
  }

  private sealed(key: ApiKey, standing: TenantStanding): ApiKey {
    key.mac = this.seal.macOf(KEY_GRANT, keyGrant({ ...key, ...standing, ...grantsOf(key) }));
    return key;
  }

  private isIntact(key: KeyGrant & { mac: Buffer | null }): boolean {
    const { tenantId, publicId, mac } = key;
    return this.seal.isIntact(KEY_GRANT, keyGrant(key), { tenantId, id: keyPrefix(publicId), mac });
  }

  private record(tx: Tx, actor: Actor, action: string, details: Record<string, unknown>): void {
    this.auditLog.record(tx, actor, { source: 'haldir', tool: 'haldir.gate', action, details });
  }

  private pepper(): KeyObject {
    return (this.pepperKey ??= this.keyRing.pepper());
  }
}

/** A tenant whose only key acts as an agent, or stands for an upstream, would have nobody to run it. */
function refuseAsFirst({ grant, connector }: NewKey): void {
  if (connector)
    throw new InvalidInput("connector: expected none for the first key of a tenant, which is the operator's");
  if (grant) throw new InvalidInput("agent: expected none for the first key of a tenant, which is the operator's");
}

function standingOf({ actor: { tenantId }, tenantTier, isOperator }: Caller): TenantStanding {
  return { tenantId, tenantTier, isOperator };
}

function publicIdIn(prefix: string): string {
  return prefix.startsWith('hld_') ? prefix.slice(4) : prefix;
}

function isLive({ expiresAt }: { expiresAt: Date | null }, now: Date): boolean {
  return expiresAt === null || expiresAt > now;
}
