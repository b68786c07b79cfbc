import { columnsOf } from '@haldir/database';
import { type Tier } from '@haldir/runtime';
import { ApiKey, connectorOf, grantOf } from './api-key.entity.js';
import { type KeyGrant } from './grants.js';

const GRANTING = [
  ...(['tenantId', 'publicId', 'principalId', 'tier', 'scopes', 'hash', 'expiresAt', 'mac'] as const),
  ...(['agentId', 'agentScopes', 'agentTtlSeconds', 'agentSpendLimit', 'agentSpendPeriod', 'agentUpstreams'] as const),
  'agentCatalogue',
  ...(['connectorUpstream', 'connectorSecrets'] as const),
] as const;
type GrantingKey = Pick<ApiKey, (typeof GRANTING)[number]>;

/** All of a key that grants something, and the MAC over it. */
export const GRANTING_COLUMNS = columnsOf(ApiKey).only(...GRANTING);

/** What of its tenant counts beside a key. */
export interface KeyTenantRow {
  tenant_tier: Tier;
  is_operator: boolean;
}

export function toKeyGrant(key: GrantingKey, tenant: KeyTenantRow): KeyGrant {
  // For every authenticated request, so without copies on the way.
  return {
    tenantId: key.tenantId,
    publicId: key.publicId,
    principalId: key.principalId,
    tier: key.tier,
    scopes: key.scopes,
    hash: key.hash,
    expiresAt: key.expiresAt,
    tenantTier: tenant.tenant_tier,
    isOperator: tenant.is_operator,
    grant: grantOf(key),
    connector: connectorOf(key),
  };
}
