import { Injectable } from '@nestjs/common';
import { Clock, haldirActor } from '@haldir/kernel';
import { AuditLog } from '@haldir/audit-log';
import { EVERY_TENANT, Transactions, type Tx } from '@haldir/database';
import { Delegations } from './delegations.js';
import { KeptRecordRepository } from './kept-record.repository.js';
import { type Session } from './session.entity.js';
import { SessionRepository } from './session.repository.js';

const BATCH = 500;
const IDEMPOTENCY_KEPT_MS = 24 * 3600 * 1000;
/** After they are over. A process whose clock is behind may still take an answer to a challenge, which it has to find noted. */
const SIGN_INS_KEPT_MS = 3600 * 1000;
/** Longer than a quota's window: a revoked key takes no more from it. */
const QUOTA_KEPT_MS = 2 * 3600 * 1000;

/** What time does to sessions and to records that are kept for a while only. Several processes may do it at once. */
@Injectable()
export class SessionExpiry {
  constructor(
    private readonly sessions: SessionRepository,
    private readonly delegations: Delegations,
    private readonly records: KeptRecordRepository,
    private readonly transactions: Transactions,
    private readonly auditLog: AuditLog,
    private readonly clock: Clock,
  ) {}

  /**
   * Records `session_expired` for up to 500 sessions, and as many that were opened from others, once for each; answers how many. Their end
   * itself needs no job; with it what is left of their limits returns to those that they were opened from.
   */
  async announce(): Promise<number> {
    const opened = await this.note((tx) => this.sessions.in(tx).takeExpired(this.clock.now(), BATCH));
    return opened + (await this.note((tx) => this.delegations.expire(tx, BATCH)));
  }

  /**
   * Removes up to 500 of each kind: idempotency records older than a day, tasks that expired, what people signed in by that is over, and quotas of keys revoked long
   * ago; answers how many.
   */
  async purge(): Promise<number> {
    const now = this.clock.now().getTime();
    const records = await this.records.purgeIdempotency(new Date(now - IDEMPOTENCY_KEPT_MS), BATCH);
    const tasks = await this.records.purgeTasks(new Date(now), BATCH);
    const signIns = await this.records.purgeSignIns(new Date(now - SIGN_INS_KEPT_MS), BATCH);
    const quotasBefore = new Date(now - QUOTA_KEPT_MS);
    const ofPeople = await this.records.purgeQuotasOfPeople(quotasBefore, BATCH);
    return records + tasks + signIns + ofPeople + (await this.records.purgeQuotas(quotasBefore, BATCH));
  }

  private note(take: (tx: Tx) => Promise<Pick<Session, 'tenantId' | 'id' | 'agentId'>[]>): Promise<number> {
    return this.transactions.run(EVERY_TENANT, async (tx) => {
      const expired = await take(tx);
      for (const { tenantId, id: sessionId, agentId } of expired) {
        this.auditLog.record(tx, haldirActor(tenantId), {
          source: 'haldir',
          sessionId,
          agentId,
          tool: 'haldir.gate',
          action: 'session_expired',
        });
      }
      return expired.length;
    });
  }
}
