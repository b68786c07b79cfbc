import { setTimeout as pause } from 'node:timers/promises';
import { Injectable } from '@nestjs/common';
import { type Actor, Batcher, Clock, parseJson, stringifyJson, Unavailable } from '@haldir/kernel';
import { isDataFailure, Transactions, type Tx } from '@haldir/database';
import { Log } from '@haldir/runtime';
import { AuditLog, type AuditRecord } from './audit-log.js';
import { type EntryIdentity, newEntryIdentity } from './entry.js';
import { ProcessLease } from './process-lease.js';
import { type CallPlace, StartedCallRepository, type StartedRows } from './started-call.repository.js';

/** A call that is about to be made. */
export interface NewStart {
  actor: Actor;
  /** What the log says of it when nobody learns what became of it. Neither its arguments nor a secret. */
  entry: AuditRecord;
  /** The price that is held for it. */
  paymentId: string | null;
  /** The Idempotency-Key it is made under, as whoever keeps those knows it. */
  claim: object | null;
}

/** A call whose record is durable: it may leave. */
export interface StartedCall extends EntryIdentity {
  readonly actor: Actor;
}

/** A call of which nobody learns what became. */
export interface ClosedCall extends Pick<NewStart, 'paymentId' | 'claim'> {
  tenantId: string;
  /** What the log is going to say of it. */
  record: AuditRecord;
}

interface Item {
  call: StartedCall;
  start: NewStart;
}

/** A process that is there writes down what it could not write before, as often as it takes. */
const AGAIN_FIRST_MS = 250;
const AGAIN_LAST_MS = 5_000;
/** Leases that ended longer ago are forgotten, once nothing stands under them. */
const FORGET_AFTER_SECONDS = 5 * 60;

/**
 * Calls are recorded before they leave, together with all that leave at the same time, so that each is in the log whatever dies.
 * The record has one owner at a time: whoever removes it writes the entry, in the same transaction.
 */
@Injectable()
export class StartedCalls {
  private readonly own = new Map<string, StartedCall>();
  private readonly writer: Batcher<Item, StartedCall>;
  private closing: (tx: Tx, call: ClosedCall) => Promise<void> = () => Promise.resolve();
  private ending = false;

  constructor(
    private readonly auditLog: AuditLog,
    private readonly lease: ProcessLease,
    private readonly repository: StartedCallRepository,
    private readonly transactions: Transactions,
    private readonly log: Log,
    private readonly clock: Clock,
  ) {
    lease.keepWhile(() => this.own.size > 0);
    this.writer = new Batcher({
      maxBatch: 512,
      maxInFlight: 2,
      maxQueued: 4096,
      splitOn: isDataFailure,
      run: async (items) => {
        await this.lease.hold();
        const values = this.rowsOf(items);
        if (await this.repository.insert(values)) return items.map(({ call }) => call);
        await this.lease.renew();
        if (!(await this.repository.insert(values))) throw new Unavailable();
        return items.map(({ call }) => call);
      },
    });
  }

  /**
   * Records a call before it leaves.
   *
   * @throws Unavailable when it cannot be recorded, and must not be made
   */
  async begin(start: NewStart): Promise<StartedCall> {
    const item = this.open(start);
    return this.writer.submit(item).catch((error: unknown) => {
      // Nobody knows whether the record is there.
      this.insist(() => this.close(placeOf(item.call)));
      throw error;
    });
  }

  /** The same as part of `tx`, with what it holds and uses up. Call `lease` before the transaction. @throws Unavailable */
  async beginIn(tx: Tx, start: NewStart): Promise<StartedCall> {
    const item = this.open(start);
    const { call } = item;
    tx.onFailure(() => this.insist(() => this.close(placeOf(call))));
    if (!(await this.repository.in(tx).insert(this.rowsOf([item])))) throw new Unavailable();
    return call;
  }

  /** Before a transaction that begins a call. @throws Unavailable */
  holdLease(): Promise<void> {
    return this.lease.hold();
  }

  /**
   * Writes the entry of a call, together with those of others. What fails is tried again until it is written, also when this has
   * thrown.
   *
   * @throws Unavailable
   */
  async end(call: StartedCall, record: AuditRecord): Promise<void> {
    const write = (): Promise<void> => this.tryEnd(call, record);
    await write().catch((error: unknown) => {
      this.insist(write);
      throw error;
    });
  }

  /**
   * Writes the entry of a call as part of `tx`; false when that was done already. Removes the record before anything else, so
   * that rows are locked in one order.
   */
  async endIn(tx: Tx, call: StartedCall, record: AuditRecord): Promise<boolean> {
    const { actor, entryId, salt } = call;
    const rows = this.repository.in(tx);
    const taken = await rows.take(actor.tenantId, entryId);
    if (taken) this.auditLog.record(tx, actor, record, call);
    else if (!(await rows.isOwn(actor.tenantId, entryId, salt))) {
      this.auditLog.record(tx, actor, lateEntry(call, record));
    }
    tx.onCommit(() => this.own.delete(call.entryId));
    return taken !== null;
  }

  /**
   * Writes the entry of a call, of whatever process, of which nobody learns what became; nothing when there is no record of it,
   * so that of several that do it one does.
   */
  async close({ tenantId, entryId }: CallPlace): Promise<void> {
    await this.transactions.run(tenantId, async (tx) => {
      const taken = await this.repository.in(tx).take(tenantId, entryId);
      if (!taken) return;
      const { paymentId, claim } = taken;
      const { actor, record } = parseJson(taken.entry) as { actor: Actor; record: AuditRecord };
      await this.closing(tx, { tenantId, paymentId, claim, record });
      this.auditLog.record(tx, actor, record, { ...newEntryIdentity(), entryId });
    });
    this.own.delete(entryId);
  }

  /** What else is to be done in the transaction that closes a call as unknown. */
  whenClosed(closing: (tx: Tx, call: ClosedCall) => Promise<void>): void {
    this.closing = closing;
  }

  /** Up to `most` calls of processes whose leases have ended. */
  abandoned(most: number): Promise<CallPlace[]> {
    return this.repository.abandoned(most);
  }

  forgetLeases(): Promise<void> {
    return this.lease.forgetOthers(FORGET_AFTER_SECONDS);
  }

  /** Closes what this process has started and not written down, before it ends. */
  async closeOwn(): Promise<void> {
    this.ending = true;
    const calls = [...this.own.values()];
    const closeNext = async (): Promise<void> => {
      for (let call = calls.pop(); call; call = calls.pop()) await this.close(placeOf(call));
    };
    await Promise.all(Array.from({ length: 4 }, closeNext)).catch((error: unknown) => {
      // Others do, once the lease has ended.
      this.log.warn({ event: 'audit.calls_not_closed', calls: this.own.size, reason: (error as Error).message });
    });
  }

  /** Does `write` again until it has succeeded. */
  insist(write: () => Promise<unknown>): void {
    void (async () => {
      for (let ms = AGAIN_FIRST_MS; !this.ending; ms = Math.min(ms * 2, AGAIN_LAST_MS)) {
        await pause(ms, undefined, { ref: false });
        try {
          return await write();
        } catch (error) {
          if (error instanceof Unavailable) this.log.debug({ event: 'audit.call_not_written' });
          else this.log.error({ event: 'audit.call_not_written' }, error);
        }
      }
    })();
  }

  private async tryEnd(call: StartedCall, record: AuditRecord): Promise<void> {
    try {
      await this.auditLog.appendEnding(call.actor, record, call);
    } catch (error) {
      if ((error as { code?: string }).code !== GONE) throw error;
      const isOwn = await this.repository.isOwn(call.actor.tenantId, call.entryId, call.salt);
      if (!isOwn) await this.auditLog.append(call.actor, lateEntry(call, record));
    }
    this.own.delete(call.entryId);
  }

  private open(start: NewStart): Item {
    const call = { ...newEntryIdentity(), actor: start.actor };
    this.own.set(call.entryId, call);
    return { call, start };
  }

  private rowsOf(items: readonly Item[]): StartedRows {
    return {
      // Who acts is written down; what bounds them is not.
      calls: items.map(({ call, start: { actor, entry, paymentId, claim } }) => ({
        ...placeOf(call),
        entry: stringifyJson({ actor: { ...actor, agent: null }, record: entry }),
        paymentId,
        claim,
      })),
      processId: this.lease.processId,
      startedAt: this.clock.now(),
    };
  }
}

function placeOf({ actor, entryId }: StartedCall): CallPlace {
  return { tenantId: actor.tenantId, entryId };
}

/** What `started_call_end` raises. */
const GONE = 'P0H01';

/** What came of a call that was taken for lost meanwhile. */
function lateEntry({ entryId }: StartedCall, { action, details, ...record }: AuditRecord): AuditRecord {
  const facts = typeof details === 'object' ? details : {};
  return { ...record, action: `${action}_late`, details: { entry_id: entryId, ...facts } };
}
