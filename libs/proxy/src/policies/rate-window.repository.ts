import { Injectable } from '@nestjs/common';
import { Transactions, type Tx } from '@haldir/database';
import { type RateWindow } from './rate-window.js';

/** Whose window it is: an agent's, under a policy. */
export interface RateKey {
  tenantId: string;
  policyId: string;
  agentId: string;
}

export interface StoredWindow extends RateKey, RateWindow {}

const ensure = {
  name: 'proxy_rate.ensure.v1',
  text: `INSERT INTO proxy_rate (tenant_id, policy_id, agent_id, times, counts, touched_at)
           SELECT w.tenant_id, w.policy_id, w.agent_id, '{}', '{}', now()
             FROM unnest($1::text[], $2::text[], $3::text[]) AS w(tenant_id, policy_id, agent_id)
             JOIN proxy_policy p ON p.tenant_id = w.tenant_id AND p.id = w.policy_id
            WHERE NOT EXISTS (SELECT FROM proxy_rate r
                               WHERE r.tenant_id = w.tenant_id AND r.policy_id = w.policy_id AND r.agent_id = w.agent_id)
            ORDER BY 1, 2, 3 FOR KEY SHARE OF p
           ON CONFLICT DO NOTHING`,
};
const lock = {
  name: 'proxy_rate.lock.v1',
  text: `SELECT tenant_id, policy_id, agent_id, times, counts FROM proxy_rate
          WHERE (tenant_id, policy_id, agent_id) IN (SELECT * FROM unnest($1::text[], $2::text[], $3::text[]))
          ORDER BY 1, 2, 3 FOR UPDATE`,
};
const save = {
  name: 'proxy_rate.save.v1',
  text: `UPDATE proxy_rate r SET times = w.times::bigint[], counts = w.counts::integer[], touched_at = $6
           FROM unnest($1::text[], $2::text[], $3::text[], $4::text[], $5::text[]) AS w(tenant_id, policy_id, agent_id, times, counts)
          WHERE r.tenant_id = w.tenant_id AND r.policy_id = w.policy_id AND r.agent_id = w.agent_id`,
};
const look = {
  name: 'proxy_rate.look.v1',
  text: `SELECT tenant_id, policy_id, agent_id, times, counts FROM proxy_rate
          WHERE tenant_id = ANY ($1::text[]) AND (tenant_id, policy_id, agent_id) IN (SELECT * FROM unnest($1::text[], $2::text[], $3::text[]))`,
};
const purge = `
  DELETE FROM proxy_rate WHERE (tenant_id, policy_id, agent_id) IN (
    SELECT tenant_id, policy_id, agent_id FROM proxy_rate WHERE touched_at < $1 LIMIT 1000 FOR UPDATE SKIP LOCKED)`;

interface WindowRow {
  tenant_id: string;
  policy_id: string;
  agent_id: string;
  times: string[];
  counts: number[];
}

/** When agents' calls were let through. */
@Injectable()
export class RateWindowRepository {
  constructor(private readonly transactions: Transactions) {}

  /** As they are now; those that were never written are left out. */
  async look(keys: readonly RateKey[]): Promise<StoredWindow[]> {
    return (await this.transactions.query<WindowRow>(look, unzip(keys))).map(toWindow);
  }

  /** Forgets up to 1000 windows that were not written since then. */
  async forget(before: Date): Promise<void> {
    await this.transactions.queryAll(purge, [before]);
  }

  in(tx: Tx) {
    return {
      /** Locks the windows until the transaction ends, made where they were not there; none of a policy that is gone. */
      lock: async (keys: readonly RateKey[]): Promise<StoredWindow[]> => {
        tx.send(ensure, unzip(keys));
        return (await tx.query<WindowRow>(lock, unzip(keys))).map(toWindow);
      },
      /** Does not wait for the answer. */
      save: (windows: readonly StoredWindow[], at: Date): void =>
        tx.send(save, [
          ...unzip(windows),
          windows.map(({ times }) => `{${times.join(',')}}`),
          windows.map(({ counts }) => `{${counts.join(',')}}`),
          at,
        ]),
    };
  }
}

function unzip(keys: readonly RateKey[]): [string[], string[], string[]] {
  return [
    keys.map(({ tenantId }) => tenantId),
    keys.map(({ policyId }) => policyId),
    keys.map(({ agentId }) => agentId),
  ];
}

function toWindow({ tenant_id, policy_id, agent_id, times, counts }: WindowRow): StoredWindow {
  return { tenantId: tenant_id, policyId: policy_id, agentId: agent_id, times: times.map(Number), counts };
}
