import { Injectable } from '@nestjs/common';
import { ApprovalOutcomes } from '@haldir/approvals';
import { AuditLog, StartedCalls } from '@haldir/audit-log';
import { Transactions, type Tx } from '@haldir/database';
import { Metrics } from '@haldir/runtime';
import { CallCharges } from '@haldir/vault';
import { approvedOutcomeOf } from './call-details.js';
import { type CallOutcome, type PerformedCall } from './call-outcome.js';
import { decisionOf, isPaid } from './outcome-table.js';

/** Writes down what became of calls: the entry, the price, the record that a call had left, the counts. */
@Injectable()
export class CallConclusions {
  constructor(
    private readonly auditLog: AuditLog,
    private readonly started: StartedCalls,
    private readonly charges: CallCharges,
    private readonly approvalOutcomes: ApprovalOutcomes,
    private readonly transactions: Transactions,
    private readonly metrics: Metrics,
  ) {}

  /**
   * Writes down what became of a call: as part of `tx`, or durably by itself together with other calls. What could not be written
   * by itself is written later; of a `tx` that fails, also before it begins, whoever has it says so to `concludeLater`.
   */
  async conclude<Result>(performed: PerformedCall<Result>, tx: Tx | null): Promise<CallOutcome<Result>> {
    const { actor, outcome, entry, notes } = performed;
    const { charge = null, started = null, approvalId = null } = notes ?? {};
    if (tx) {
      if (started) await this.end(tx, performed);
      else this.auditLog.record(tx, actor, entry);
      tx.onCommit(() => this.count(performed));
      return outcome;
    }
    if (started && (charge || ApprovalOutcomes.isRequest(approvalId))) {
      await this.transactions
        .run(actor.tenantId, (own) => this.end(own, performed))
        .catch((error: unknown) => {
          this.concludeLater(performed);
          throw error;
        });
    } else if (started) await this.started.end(started, entry);
    else await this.auditLog.append(actor, entry);
    this.count(performed);
    return outcome;
  }

  /** Writes down what became of a call that has left, as soon as that can be done. */
  concludeLater(performed: PerformedCall<unknown>): void {
    if (!performed.notes?.started) return;
    this.started.insist(() => this.transactions.run(performed.actor.tenantId, (tx) => this.end(tx, performed)));
  }

  private async end(tx: Tx, { outcome, entry, notes }: PerformedCall<unknown>): Promise<void> {
    if (!notes?.started) return;
    const isFirst = await this.started.endIn(tx, notes.started, entry);
    if (!isFirst) return;
    const { approvalId, charge } = notes;
    if (ApprovalOutcomes.isRequest(approvalId))
      await this.approvalOutcomes.end(tx, notes.started.actor.tenantId, approvalId, approvedOutcomeOf(entry.details));
    if (charge) await this.charges.settle(tx, charge, isPaid(outcome));
  }

  private count({ outcome, notes }: PerformedCall<unknown>): void {
    this.metrics.countDecision('proxy', decisionOf(outcome));
    for (const { type } of notes?.wouldBlock ?? []) this.metrics.countLogOnly(type, 'denied');
    for (const { rule } of notes?.wouldHold ?? []) this.metrics.countLogOnly(rule.type, 'held');
  }
}
