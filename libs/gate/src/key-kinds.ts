import {
  type Actor,
  agentActor,
  type AgentGrant,
  connectorActor,
  type ConnectorGrant,
  keyActor,
  toDollars,
} from '@haldir/kernel';
import { type ApiKey, connectorOf, grantOf } from './api-key.entity.js';
import { type KeyGrant } from './grants.js';

/** Who acts with a key. */
export function actorOf({ tenantId, principalId, grant, connector }: KeyGrant): Actor {
  if (connector) return connectorActor(tenantId, principalId, connector);
  return grant ? agentActor(tenantId, principalId, grant) : keyActor(tenantId, principalId);
}

export function grantsOf(key: ApiKey): Pick<KeyGrant, 'grant' | 'connector'> {
  return { grant: grantOf(key), connector: connectorOf(key) };
}

/** What a connector key is good for in the API's terms. */
export function describeConnector({ upstream, secrets }: ConnectorGrant) {
  return { upstream, secrets: [...secrets] };
}

/** A ceiling in the API's terms. */
export function describeGrant(grant: AgentGrant) {
  const { agentId, scopes, ttlSeconds, spendLimit, spendPeriod, upstreams, catalogue } = grant;
  return {
    agent_id: agentId,
    scopes: [...scopes],
    ttl: ttlSeconds,
    spend_limit: toDollars(spendLimit),
    spend_period: spendPeriod,
    upstreams: upstreams && [...upstreams],
    catalogue,
  };
}
