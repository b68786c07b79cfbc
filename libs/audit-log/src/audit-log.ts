import { Injectable } from '@nestjs/common';
import { type Actor, Batcher, Clock, type MicroUsd, stringifyJson } from '@haldir/kernel';
import { type Collector, isDataFailure, Transactions, type Tx } from '@haldir/database';
import { GENESIS_HASH } from '@haldir/verifier';
import { type EntryIdentity, type EntrySource, type PreparedEntry, prepareEntry, toColumns } from './entry.js';

/** What is recorded; who acted, the time and the hashes are added here. */
export interface AuditRecord {
  source: EntrySource;
  sessionId?: string;
  agentId?: string;
  /** The module for what Haldir itself did (`haldir.vault`), else the tool's name. */
  tool: string;
  action: string;
  /** Text, or what becomes its JSON text. Never a secret. */
  details?: string | Readonly<Record<string, unknown>> | null;
  cost?: MicroUsd;
  /** Why the writer flags the entry itself; the rules may add to it. */
  flag?: string;
}

/** An entry that was asked for; `flagReason` is known once the transaction was flushed or committed. */
export interface RecordedEntry {
  readonly entryId: string;
  /** When it was recorded; the log has the time of the entry before it where that is later. */
  readonly at: Date;
  flagReason: string | null;
}

interface Pending {
  prepared: PreparedEntry;
  /** Whether it is the entry of a call that was started, whose record goes with it. */
  ends: boolean;
  recorded: RecordedEntry;
}

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

interface AppendRow {
  reason: string | null;
}

const collector: Collector<Pending> = {
  rank: 100,
  async flush(tx, items) {
    settle(items, await tx.query<AppendRow>(append, columnsOf(items)));
  },
};

function columnsOf(items: Pending[]): ReturnType<typeof toColumns> {
  return toColumns(items.map(({ prepared }) => prepared));
}

function settle(items: Pending[], rows: AppendRow[]): void {
  items.forEach(({ recorded }, i) => (recorded.flagReason = rows[i]?.reason ?? null));
}

/** Appends to the tenants' logs. Entries are durable, linked and flagged when their transaction has committed. */
@Injectable()
export class AuditLog {
  /** One flush at a time, all tenants in it: one commit and one fsync for all that arrive meanwhile. */
  private readonly writer: Batcher<Pending, RecordedEntry>;

  constructor(
    private readonly transactions: Transactions,
    private readonly clock: Clock,
  ) {
    this.writer = new Batcher({
      maxBatch: 512,
      maxInFlight: 1,
      maxQueued: 4096,
      splitOn: isDataFailure,
      run: async (items) => {
        const columns = columnsOf(items);
        const ended = items.map(({ prepared, ends }) => (ends ? prepared.entryId : null));
        const rows = ended.some((id) => id !== null)
          ? await this.transactions.query<AppendRow>(appendEnding, [...columns, ended])
          : await this.transactions.query<AppendRow>(append, columns);
        settle(items, rows);
        return items.map(({ recorded }) => recorded);
      },
    });
  }

  /** Adds an entry to what `tx` writes as its last statement before commit. */
  record(tx: Tx, actor: Actor, record: AuditRecord, identity?: EntryIdentity): RecordedEntry {
    const pending = this.prepare(actor, record, identity);
    tx.collect(collector, pending);
    return pending.recorded;
  }

  /**
   * Appends one entry together with those of other callers that arrive meanwhile, and returns once it is durable.
   *
   * @throws Unavailable when too many entries wait already, or the database cannot be reached
   */
  append(actor: Actor, record: AuditRecord): Promise<RecordedEntry> {
    return this.writer.submit(this.prepare(actor, record));
  }

  /** The same for the entry of a call that was started; rejects when the record of the call is gone. */
  appendEnding(actor: Actor, record: AuditRecord, identity: EntryIdentity): Promise<RecordedEntry> {
    return this.writer.submit({ ...this.prepare(actor, record, identity), ends: true });
  }

  /** Starts the log of a new tenant, with the default flag rules. */
  async create(tx: Tx, tenantId: string): Promise<void> {
    await tx.query(
      `INSERT INTO audit_rule (tenant_id, id, type, params, created_at)
         SELECT $1, 'rul_' || type, type, params::jsonb, $2
           FROM (VALUES ('rapid_fire',   '{"max_actions": 60, "window_seconds": 60}'),
                        ('high_cost',    '{"max_micros": 100000000}'),
                        ('unusual_tool', '{"min_tool_calls": 20}')) AS defaults(type, params)`,
      [tenantId, this.clock.now()],
    );
    await tx.query('SELECT audit_create($1, $2)', [tenantId, GENESIS_HASH]);
  }

  private prepare(actor: Actor, record: AuditRecord, identity?: EntryIdentity): Pending {
    const at = this.clock.now();
    const { details = null } = record;
    const entry = {
      actor,
      source: record.source,
      sessionId: record.sessionId ?? '',
      agentId: record.agentId ?? '',
      tool: record.tool,
      action: record.action,
      details: details === null || typeof details === 'string' ? details : stringifyJson(details),
      costMicros: record.cost ?? 0n,
      at,
      flag: record.flag ?? null,
    };
    const prepared = prepareEntry(entry, identity);
    return { prepared, ends: false, recorded: { entryId: prepared.entryId, at, flagReason: null } };
  }
}
