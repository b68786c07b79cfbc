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

const among = {
  name: 'agent_freeze.among.v1',
  text: `SELECT f.tenant_id, f.agent_id FROM unnest($1::text[], $2::text[]) AS w(tenant_id, agent_id)
           JOIN agent_freeze f ON f.tenant_id = w.tenant_id AND f.agent_id = w.agent_id`,
};
const put = {
  name: 'agent_freeze.put.v1',
  text: `INSERT INTO agent_freeze (tenant_id, agent_id, reason, by, at) VALUES ($1, $2, $3, $4, $5)
         ON CONFLICT (tenant_id, agent_id) DO NOTHING RETURNING 1 AS frozen`,
};

/** Agents that are stopped. Sessions of theirs are looked up together with that (see `SessionRepository`). */
export function agentFreezesIn(tx: Tx) {
  return {
    /** Whether each of the agents is stopped. */
    among: async (agents: readonly AgentKey[]): Promise<boolean[]> => {
      const rows = await tx.query<{ tenant_id: string; agent_id: string }>(among, [
        agents.map(({ tenantId }) => tenantId),
        agents.map(({ agentId }) => agentId),
      ]);
      const frozen = new Set(rows.map((row) => `${row.tenant_id} ${row.agent_id}`));
      return agents.map(({ tenantId, agentId }) => frozen.has(`${tenantId} ${agentId}`));
    },
    /** False when the agent was stopped already. */
    put: async ({ tenantId, agentId, reason, by, at }: NewFreeze): Promise<boolean> =>
      (await tx.query(put, [tenantId, agentId, reason, by, at])).length > 0,
  };
}
