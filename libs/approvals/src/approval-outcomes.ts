import { Injectable } from '@nestjs/common';
import { Clock, haldirActor } from '@haldir/kernel';
import { AuditLog } from '@haldir/audit-log';
import { EVERY_TENANT, Transactions, type Tx } from '@haldir/database';
import { Outbox } from '@haldir/events';
import { HaldirConfig } from '@haldir/runtime';
import { requestEntry } from './approval-entry.js';
import { outcomeData } from './approval-event.js';
import { type ApprovalOutcome } from './approval-request.entity.js';
import { ApprovalOutcomeRepository } from './approval-outcome.repository.js';
import { type EndedFacts } from './approval-request.repository.js';
import { ApprovalTellings } from './approval-tellings.js';

const BATCH = 200;

/** How what was asked about ended. It is written down once, whoever says it how often, and announced with that (`approval_outcome`). */
@Injectable()
export class ApprovalOutcomes {
  constructor(
    private readonly requests: ApprovalOutcomeRepository,
    private readonly tellings: ApprovalTellings,
    private readonly auditLog: AuditLog,
    private readonly outbox: Outbox,
    private readonly transactions: Transactions,
    private readonly config: HaldirConfig,
    private readonly clock: Clock,
  ) {}

  /** Whether what lets a call through is a request, whose end is written down; a grant lets many through. */
  static isRequest(approvalId: string | null): approvalId is string {
    return approvalId?.startsWith('apr_') ?? false;
  }

  /** Of the call that the approval of a request has let through. */
  async end(tx: Tx, tenantId: string, requestId: string, outcome: ApprovalOutcome): Promise<void> {
    const ended = await this.requests.in(tx).end(tenantId, requestId, outcome);
    if (ended) this.announce(tx, ended, outcome);
  }

  /** Of requests that nobody has decided in time: notes in the log whom they had been told to. */
  async expired(tx: Tx, requests: readonly EndedFacts[]): Promise<void> {
    for (const { request, told } of await this.tellings.tallied(tx, requests)) {
      this.auditLog.record(
        tx,
        haldirActor(request.tenantId),
        requestEntry(request, 'haldir', 'approval_expired', { told }),
      );
      this.announce(tx, request, 'expired');
    }
  }

  /**
   * Notes the requests whose time is up: those that nobody has decided, which it answers the number of, and those that were approved
   * and whose call was not made. Safe to run anywhere, any number of times.
   */
  async expireDue(): Promise<number> {
    await this.inBatches(async (tx) => {
      const unused = await this.requests.in(tx).expireUnused(this.clock.now(), BATCH);
      for (const request of unused) this.announce(tx, request, 'expired');
      return unused.length;
    });
    return this.inBatches(async (tx) => {
      const undecided = await this.requests.in(tx).expire(this.clock.now(), BATCH);
      await this.expired(tx, undecided);
      return undecided.length;
    });
  }

  private async inBatches(work: (tx: Tx) => Promise<number>): Promise<number> {
    let [total, batch] = [0, BATCH];
    for (; batch === BATCH; total += batch) batch = await this.transactions.run(EVERY_TENANT, work);
    return total;
  }

  private announce(tx: Tx, request: EndedFacts, outcome: ApprovalOutcome): void {
    const data = outcomeData(request, outcome, this.config.publicBase);
    this.outbox.publish(tx, request.tenantId, { type: 'approval_outcome', data });
  }
}
