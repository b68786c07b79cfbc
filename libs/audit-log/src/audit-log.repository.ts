import { Injectable } from '@nestjs/common';
import { Transactions, type Tx } from '@haldir/database';
import { GENESIS_HASH } from '@haldir/verifier';
import { type PreparedEntry } from './entry.js';

const append = {
  name: 'audit_append.v3',
  text: `SELECT leaf_index, reason FROM audit_append($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14,
                                                  $15, $16, $17, $18)`,
};

/** The same, where some of the entries are of calls that were started. */
const appendEnding = {
  name: 'audit_append_ending.v2',
  text: `SELECT leaf_index, reason FROM started_call_end($1, $19) AS e(tenants),
           audit_append(e.tenants, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17, $18)`,
};

const defaultRules = `
  INSERT INTO audit_rule (tenant_id, id, type, params, created_at)
    SELECT $1, 'rul_' || type, type, params::jsonb, $2
      FROM (VALUES ('rapid_fire',   '{"max_actions": 60, "window_seconds": 60}'),
                   ('high_cost',    '{"max_micros": 100000000}'),
                   ('unusual_tool', '{"min_tool_calls": 20}')) AS defaults(type, params)`;

interface AppendRow {
  reason: string | null;
}

/** The end of each log. */
@Injectable()
export class AuditLogRepository {
  constructor(private readonly transactions: Transactions) {}

  /**
   * Appends entries, of any tenants, in their order; answers for each why it was flagged, or null.
   *
   * @param ended ids of those that are of calls that were started, whose records are removed; null for the others
   */
  async append(entries: readonly PreparedEntry[], ended: readonly (string | null)[]): Promise<(string | null)[]> {
    const columns = toColumns(entries);
    return reasonsOf(
      ended.some((id) => id !== null)
        ? await this.transactions.query<AppendRow>(appendEnding, [...columns, ended])
        : await this.transactions.query<AppendRow>(append, columns),
    );
  }

  in(tx: Tx) {
    return {
      append: async (entries: readonly PreparedEntry[]): Promise<(string | null)[]> =>
        reasonsOf(await tx.query<AppendRow>(append, toColumns(entries))),
      /** The log of a new tenant, with the default flag rules. */
      create: async (tenantId: string, now: Date): Promise<void> => {
        await tx.query(defaultRules, [tenantId, now]);
        await tx.query('SELECT audit_create($1, $2)', [tenantId, GENESIS_HASH]);
      },
    };
  }
}

function reasonsOf(rows: readonly AppendRow[]): (string | null)[] {
  return rows.map(({ reason }) => reason);
}

/** The columns of `audit_append`, in its order. */
function toColumns(prepared: readonly PreparedEntry[]): [tenantIds: string[], ...rest: unknown[]] {
  const entries = prepared.map(({ entry }) => entry);
  return [
    entries.map(({ actor }) => actor.tenantId),
    prepared.map(({ entryId }) => entryId),
    entries.map(({ source }) => source),
    entries.map(({ sessionId }) => sessionId),
    entries.map(({ agentId }) => agentId),
    entries.map(({ tool }) => tool),
    entries.map(({ action }) => action),
    entries.map(({ costMicros }) => costMicros.toString()),
    entries.map(({ at }) => at.getTime() * 1000),
    prepared.map(({ details }) => details.text),
    prepared.map(({ details }) => details.salt),
    prepared.map(({ details }) => details.hash),
    prepared.map((one) => one.contentHash),
    entries.map(({ flag }) => flag),
    entries.map(({ actor }) => actor.id),
    prepared.map(({ context }) => context.text),
    prepared.map(({ context }) => context.salt),
    prepared.map(({ context }) => context.hash),
  ];
}
