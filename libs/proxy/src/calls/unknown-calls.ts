import {
  type BeforeApplicationShutdown,
  Injectable,
  type OnApplicationShutdown,
  type OnModuleInit,
} from '@nestjs/common';
import { type MicroUsd } from '@haldir/kernel';
import { ApprovalOutcomes } from '@haldir/approvals';
import { StartedCalls } from '@haldir/audit-log';
import { type Claim, leaveUnknown } from '@haldir/http';
import { HaldirConfig, Log } from '@haldir/runtime';
import { CallCharges } from '@haldir/vault';
import { approvalIn, approvedOutcomeOf } from './call-details.js';

const BATCH = 100;
/** What closing takes at the end of a process that has to end. */
const CLOSING_MS = 2_000;

/**
 * Calls of which nobody learns what became, because their process has died or has to end: the log says so, their price stays spent
 * and their approval used, and their Idempotency-Key answers that the outcome is unknown.
 */
@Injectable()
export class UnknownCalls implements OnModuleInit, BeforeApplicationShutdown, OnApplicationShutdown {
  private limit: NodeJS.Timeout | null = null;

  constructor(
    private readonly started: StartedCalls,
    private readonly charges: CallCharges,
    private readonly approvalOutcomes: ApprovalOutcomes,
    private readonly config: HaldirConfig,
    private readonly log: Log,
  ) {}

  onModuleInit(): void {
    this.started.whenClosed(async (tx, { tenantId, paymentId, claim, record: { details } }) => {
      if (claim) leaveUnknown(tx, tenantId, claim as Claim);
      const approvalId = approvalIn(details);
      if (ApprovalOutcomes.isRequest(approvalId))
        await this.approvalOutcomes.end(tx, tenantId, approvalId, approvedOutcomeOf(details));
      if (paymentId !== null) await this.charges.settle(tx, { tenantId, paymentId, price: 0n as MicroUsd }, true);
    });
  }

  /** Closes the calls of processes whose leases have ended; answers how many there were. Safe to run anywhere, any number of times. */
  async closeAbandoned(): Promise<number> {
    let closed = 0;
    for (;;) {
      const calls = await this.started.abandoned(BATCH);
      let failed = 0;
      for (const call of calls) {
        await this.started.close(call).catch((error: unknown) => {
          failed++;
          this.log.error({ event: 'proxy.call_not_closed', entry_id: call.entryId }, error);
        });
      }
      closed += calls.length - failed;
      if (calls.length < BATCH || failed > 0) break;
    }
    await this.started.forgetLeases();
    return closed;
  }

  /** What is under way may end by itself until there is just time to close it. */
  beforeApplicationShutdown(): void {
    const { shutdownTimeoutMs } = this.config;
    const ms = Math.max(shutdownTimeoutMs / 2, shutdownTimeoutMs - CLOSING_MS);
    this.limit = setTimeout(() => void this.started.closeOwn(), ms).unref();
  }

  async onApplicationShutdown(): Promise<void> {
    if (this.limit) clearTimeout(this.limit);
    await this.started.closeOwn();
  }
}
