import { Column, Entity, PrimaryColumn } from 'typeorm';
import {
  type Actor,
  type AgentGrant,
  type CatalogueKind,
  type ConnectorGrant,
  type MicroUsd,
  type SpendPeriod,
} from '@haldir/kernel';
import { BigIntColumn } from '@haldir/database';
import { type Tier } from '@haldir/runtime';

@Entity('api_key')
export class ApiKey {
  @PrimaryColumn({ name: 'tenant_id', type: 'text' })
  tenantId: string;

  @PrimaryColumn({ name: 'public_id', type: 'text' })
  publicId: string;

  @Column({ type: 'text' })
  name: string;

  @Column({ type: 'text' })
  tier: Tier;

  /** `resource:action`, with `*` for either or both. */
  @Column({ type: 'text', array: true })
  scopes: string[];

  @Column({ type: 'text' })
  kind: Actor['kind'];

  /** Of an agent key, the agent and the ceiling of what it does; null for every other. */
  @Column({ name: 'agent_id', type: 'text', nullable: true })
  agentId: string | null;

  @Column({ name: 'agent_scopes', type: 'text', array: true, nullable: true })
  agentScopes: string[] | null;

  @Column({ name: 'agent_ttl_seconds', type: 'integer', nullable: true })
  agentTtlSeconds: number | null;

  @BigIntColumn({ name: 'agent_spend_limit_micros', nullable: true })
  agentSpendLimit: MicroUsd | null;

  @Column({ name: 'agent_spend_period', type: 'text', nullable: true })
  agentSpendPeriod: SpendPeriod | null;

  @Column({ name: 'agent_upstreams', type: 'text', array: true, nullable: true })
  agentUpstreams: string[] | null;

  /** Null for the whole list, too. */
  @Column({ name: 'agent_catalogue', type: 'text', nullable: true })
  agentCatalogue: CatalogueKind | null;

  /** Of a connector key, what it is good for; null for every other. */
  @Column({ name: 'connector_upstream', type: 'text', nullable: true })
  connectorUpstream: string | null;

  @Column({ name: 'connector_secrets', type: 'text', array: true, nullable: true })
  connectorSecrets: string[] | null;

  /** Keyed hash of the whole key. */
  @Column({ type: 'bytea', select: false })
  hash: Buffer;

  /** Over all that the row grants, see `GrantSeal`. */
  @Column({ type: 'bytea', select: false })
  mac: Buffer;

  /** The public prefix of the principal's first key. */
  @Column({ name: 'principal_id', type: 'text' })
  principalId: string;

  /** Null for a key that does not end by itself. */
  @Column({ name: 'expires_at', type: 'timestamptz', nullable: true })
  expiresAt: Date | null;

  @Column({ name: 'created_at', type: 'timestamptz' })
  createdAt: Date;

  /** When it was told that the key ends; null until then. */
  @Column({ name: 'expiry_announced_at', type: 'timestamptz', nullable: true, select: false })
  expiryAnnouncedAt: Date | null;

  /** To the minute; null until first used. */
  @Column({ name: 'last_used_at', type: 'timestamptz', nullable: true })
  lastUsedAt: Date | null;

  @Column({ name: 'revoked_at', type: 'timestamptz', nullable: true })
  revokedAt: Date | null;
}

type Ceiling = Pick<
  ApiKey,
  | 'agentId'
  | 'agentScopes'
  | 'agentTtlSeconds'
  | 'agentSpendLimit'
  | 'agentSpendPeriod'
  | 'agentUpstreams'
  | 'agentCatalogue'
>;

/** The ceiling that a key's row holds; null for a key that is no agent's. */
export function grantOf(row: Ceiling): AgentGrant | null {
  const { agentId, agentScopes, agentTtlSeconds, agentSpendLimit, agentSpendPeriod, agentUpstreams } = row;
  if (agentId === null || agentScopes === null || agentTtlSeconds === null) return null;
  if (agentSpendLimit === null || agentSpendPeriod === null) return null;
  return {
    agentId,
    scopes: agentScopes,
    ttlSeconds: agentTtlSeconds,
    spendLimit: agentSpendLimit,
    spendPeriod: agentSpendPeriod,
    upstreams: agentUpstreams,
    catalogue: row.agentCatalogue ?? 'full',
  };
}

/** As a key's row holds a ceiling. */
export function ceilingOf(grant: AgentGrant | null): Ceiling {
  return {
    agentId: grant?.agentId ?? null,
    agentScopes: grant && [...grant.scopes],
    agentTtlSeconds: grant?.ttlSeconds ?? null,
    agentSpendLimit: grant?.spendLimit ?? null,
    agentSpendPeriod: grant?.spendPeriod ?? null,
    agentUpstreams: grant?.upstreams ? [...grant.upstreams] : null,
    agentCatalogue: grant?.catalogue ?? null,
  };
}

type Connecting = Pick<ApiKey, 'connectorUpstream' | 'connectorSecrets'>;

/** What a connector key is good for by its row; null for a key of another kind. */
export function connectorOf({
  connectorUpstream: upstream,
  connectorSecrets: secrets,
}: Connecting): ConnectorGrant | null {
  return upstream === null || secrets === null ? null : { upstream, secrets };
}

/** As a key's row holds it. */
export function connectingOf(connector: ConnectorGrant | null): Connecting {
  return {
    connectorUpstream: connector?.upstream ?? null,
    connectorSecrets: connector && [...connector.secrets],
  };
}
