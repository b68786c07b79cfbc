import { type Tx } from '@haldir/database';

/** An agent of a tenant. */
export interface AgentKey {
  tenantId: string;
  agentId: string;
}

export interface NewFreeze extends AgentKey {
  reason: string;
  /** The id of the principal that stops the agent. */
  by: string;
  at: Date;
}

/** In place of an agent: all of the tenant's. No agent has an empty name. */
export const EVERY_AGENT = '';

const among = {
  name: 'agent_freeze.among.v2',
  text: `SELECT f.tenant_id, f.agent_id FROM agent_freeze f
          WHERE (f.tenant_id, f.agent_id) IN (SELECT * FROM unnest($1::text[], $2::text[]))
             OR (f.tenant_id = ANY ($1::text[]) AND f.agent_id = '${EVERY_AGENT}')`,
};
const remove = {
  name: 'agent_freeze.remove.v1',
  text: 'DELETE FROM agent_freeze WHERE tenant_id = $1 AND agent_id = $2 RETURNING 1 AS done',
};
const put = {
  name: 'agent_freeze.put.v1',
  text: `INSERT INTO agent_freeze (tenant_id, agent_id, reason, by, at) VALUES ($1, $2, $3, $4, $5)
         ON CONFLICT (tenant_id, agent_id) DO NOTHING RETURNING 1 AS frozen`,
};

/** Agents that are stopped. Sessions of theirs are looked up together with that (see `SessionRepository`). */
export function agentFreezesIn(tx: Tx) {
  return {
    /** Whether each of the agents is stopped, by itself or with its tenant. */
    among: async (agents: readonly AgentKey[]): Promise<boolean[]> => {
      const rows = await tx.query<{ tenant_id: string; agent_id: string }>(among, [
        agents.map(({ tenantId }) => tenantId),
        agents.map(({ agentId }) => agentId),
      ]);
      const frozen = new Set(rows.map((row) => `${row.tenant_id} ${row.agent_id}`));
      return agents.map(
        ({ tenantId, agentId }) => frozen.has(`${tenantId} ${agentId}`) || frozen.has(`${tenantId} ${EVERY_AGENT}`),
      );
    },
    /** False when the agent was stopped already. */
    put: async ({ tenantId, agentId, reason, by, at }: NewFreeze): Promise<boolean> =>
      (await tx.query(put, [tenantId, agentId, reason, by, at])).length > 0,
    /** False when the agent was not stopped. */
    remove: async (tenantId: string, agentId: string): Promise<boolean> =>
      (await tx.query(remove, [tenantId, agentId])).length > 0,
  };
}
