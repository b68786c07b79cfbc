import { type AgentGrant, type CatalogueKind, type ConnectorGrant } from '@haldir/kernel';
import { type Grant } from '@haldir/crypto';
import { type Tier } from '@haldir/runtime';
import { type Session } from './session.entity.js';

export const KEY_GRANT = 'api_key.v1';
export const SESSION_GRANT = 'session.v1';

/** All that a key's row, and its tenant's, say of what the key may do. */
export interface KeyGrant {
  tenantId: string;
  publicId: string;
  principalId: string;
  tier: Tier;
  scopes: readonly string[];
  hash: Buffer;
  expiresAt: Date | null;
  tenantTier: Tier;
  isOperator: boolean;
  /** Null for a key that is no agent's. */
  grant: AgentGrant | null;
  /** Null for a key that is no connector's. */
  connector: ConnectorGrant | null;
}

export function keyGrant(key: KeyGrant): Grant {
  const { grant, connector } = key;
  const ceiling = grant && [
    ...[grant.agentId, grant.scopes, grant.ttlSeconds],
    ...[grant.spendLimit.toString(), grant.spendPeriod, grant.upstreams],
    ...toldCatalogue(grant.catalogue),
  ];
  return [
    ...[key.tenantId, key.publicId, key.principalId, key.hash.toString('base64')],
    ...[key.tier, key.scopes, key.expiresAt?.getTime() ?? null, key.tenantTier, key.isOperator],
    ceiling,
    // Keys that were made before there were any have none.
    ...(connector ? [[connector.upstream, connector.secrets]] : []),
  ];
}

/** What is spent, held, delegated, revoked and announced moves, and is not among it. */
export function sessionGrant(session: Session): Grant {
  const { tenantId, id, agentId, scopes, spendLimit, openedKey, expiresAt, catalogue, lineage } = session;
  return [
    ...[tenantId, id, agentId, scopes, spendLimit?.toString() ?? null, openedKey, expiresAt.getTime()],
    ...toldCatalogue(catalogue),
    // Sessions that were opened before there were any have none.
    ...(lineage.length === 0 ? [] : [lineage]),
  ];
}

/** The kind that was there first is not said, so that MACs over it stand. */
function toldCatalogue(catalogue: CatalogueKind): CatalogueKind[] {
  return catalogue === 'full' ? [] : [catalogue];
}
