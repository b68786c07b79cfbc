import { Injectable } from '@nestjs/common';
import { columnsOf, Transactions, type Tx } from '@haldir/database';
import { In } from 'typeorm';
import { AgentFreeze, EVERY_AGENT } from './agent-freeze.entity.js';

/** An agent of a tenant. */
export type AgentKey = Pick<AgentFreeze, 'tenantId' | 'agentId'>;

const KEY = columnsOf(AgentFreeze).only('tenantId', 'agentId');

/** Whenever sessions are opened. */
const among = {
  name: 'agent_freeze.among.v2',
  text: `SELECT ${KEY.of('f')} FROM agent_freeze f
          WHERE (f.tenant_id, f.agent_id) IN (SELECT * FROM unnest($1::text[], $2::text[]))
             OR (f.tenant_id = ANY ($1::text[]) AND f.agent_id = '${EVERY_AGENT}')`,
};

/** Agents that are stopped. Sessions of theirs are looked up together with that (see `SessionRepository`). */
@Injectable()
export class AgentFreezeRepository {
  constructor(private readonly transactions: Transactions) {}

  /** Of these agents those that are stopped by themselves. */
  find(tenantId: string, agentIds: readonly string[]): Promise<AgentFreeze[]> {
    return this.transactions.read(tenantId, (manager) =>
      manager.findBy(AgentFreeze, { tenantId, agentId: In(agentIds) }),
    );
  }

  in(tx: Tx) {
    return {
      /** Whether each of the agents is stopped, by itself or with its tenant. */
      among: async (agents: readonly AgentKey[]): Promise<boolean[]> => {
        const rows = await tx.query(among, [
          agents.map(({ tenantId }) => tenantId),
          agents.map(({ agentId }) => agentId),
        ]);
        const frozen = new Set(rows.map((row) => nameOf(KEY.toEntity(row))));
        return agents.map(
          ({ tenantId, agentId }) =>
            frozen.has(nameOf({ tenantId, agentId })) || frozen.has(nameOf({ tenantId, agentId: EVERY_AGENT })),
        );
      },
      /** False when the agent was stopped already. */
      put: async (freeze: AgentFreeze): Promise<boolean> => {
        const query = tx.manager.createQueryBuilder().insert().into(AgentFreeze).values(freeze).orIgnore();
        const { raw } = (await query.returning('agent_id').execute()) as { raw: unknown[] };
        return raw.length > 0;
      },
      /** False when the agent was not stopped. */
      remove: async (tenantId: string, agentId: string): Promise<boolean> =>
        (await tx.manager.delete(AgentFreeze, { tenantId, agentId })).affected === 1,
    };
  }
}

function nameOf({ tenantId, agentId }: AgentKey): string {
  return `${tenantId} ${agentId}`;
}
