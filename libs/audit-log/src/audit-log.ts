import { Injectable } from '@nestjs/common';
import { type Actor, Batcher, Clock, type MicroUsd, stringifyJson } from '@haldir/kernel';
import { type Collector, isDataFailure, type Tx } from '@haldir/database';
import { AuditLogRepository } from './audit-log.repository.js';
import { type EntryIdentity, type EntrySource, type PreparedEntry, prepareEntry } from './entry.js';

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

function settle(items: readonly Pending[], reasons: readonly (string | null)[]): void {
  items.forEach(({ recorded }, i) => (recorded.flagReason = reasons[i] ?? null));
}

/** Appends to the tenants' logs. Entries are durable, linked and flagged when their transaction has committed. */
@Injectable()
export class AuditLog {
  private readonly collector: Collector<Pending> = {
    rank: 100,
    flush: async (tx, items) => settle(items, await this.entries.in(tx).append(items.map(({ prepared }) => prepared))),
  };
  /** One flush at a time, all tenants in it: one commit and one fsync for all that arrive meanwhile. */
  private readonly writer: Batcher<Pending, RecordedEntry>;

  constructor(
    private readonly entries: AuditLogRepository,
    private readonly clock: Clock,
  ) {
    this.writer = new Batcher({
      maxBatch: 512,
      maxInFlight: 1,
      maxQueued: 4096,
      splitOn: isDataFailure,
      run: async (items) => {
        const prepared = items.map((item) => item.prepared);
        const ended = items.map(({ ends, prepared: { entryId } }) => (ends ? entryId : null));
        settle(items, await this.entries.append(prepared, ended));
        return items.map(({ recorded }) => recorded);
      },
    });
  }

  /** Adds an entry to what `tx` writes as its last statement before commit. */
  record(tx: Tx, actor: Actor, record: AuditRecord, identity?: EntryIdentity): RecordedEntry {
    const pending = this.prepare(actor, record, identity);
    tx.collect(this.collector, pending);
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
    await this.entries.in(tx).create(tenantId, this.clock.now());
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
