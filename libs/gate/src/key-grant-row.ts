import { type MicroUsd, type SpendPeriod } from '@haldir/kernel';
import { type Tier } from '@haldir/runtime';
import { grantOf } from './api-key.entity.js';
import { type KeyGrant } from './grants.js';

/** A key with its tenant, as hot statements read it. */
export interface KeyGrantRow {
  tenant_id: string;
  public_id: string;
  principal_id: string;
  tier: Tier;
  scopes: string[];
  hash: Buffer;
  expires_at: Date | null;
  tenant_tier: Tier;
  is_operator: boolean;
  agent_id: string | null;
  agent_scopes: string[] | null;
  agent_ttl_seconds: number | null;
  agent_spend_limit_micros: string | null;
  agent_spend_period: SpendPeriod | null;
  agent_upstreams: string[] | null;
}

export function toKeyGrant(row: KeyGrantRow): KeyGrant {
  const limit = row.agent_spend_limit_micros;
  return {
    tenantId: row.tenant_id,
    publicId: row.public_id,
    principalId: row.principal_id,
    tier: row.tier,
    scopes: row.scopes,
    hash: row.hash,
    expiresAt: row.expires_at,
    tenantTier: row.tenant_tier,
    isOperator: row.is_operator,
    grant: grantOf({
      agentId: row.agent_id,
      agentScopes: row.agent_scopes,
      agentTtlSeconds: row.agent_ttl_seconds,
      agentSpendLimit: limit === null ? null : (BigInt(limit) as MicroUsd),
      agentSpendPeriod: row.agent_spend_period,
      agentUpstreams: row.agent_upstreams,
    }),
  };
}
