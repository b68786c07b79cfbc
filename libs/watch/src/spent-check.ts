import { Injectable } from '@nestjs/common';
import { Clock, haldirActor, parseJson, toDollars } from '@haldir/kernel';
import { AuditLog } from '@haldir/audit-log';
import { Transactions } from '@haldir/database';
import { type ComparedSession, LoggedSpendingRepository, type SessionPlace } from './logged-spending.repository.js';

const SESSIONS_AT_ONCE = 500;

/**
 * Compares what each live session with a limit has spent, as its row says, with its payments in the log. The row moves with every
 * payment and therefore has no MAC; the log cannot be changed unseen. A difference is a flagged entry, told once as long as it
 * stays the same. A session whose payments were erased from the log cannot be compared, and is left out.
 */
@Injectable()
export class SpentCheck {
  constructor(
    private readonly auditLog: AuditLog,
    private readonly spending: LoggedSpendingRepository,
    private readonly transactions: Transactions,
    private readonly clock: Clock,
  ) {}

  /** Answers how many differences are new. Safe to run anywhere, any number of times. */
  async run(): Promise<number> {
    let found = 0;
    let after: SessionPlace = { tenantId: '', id: '' };
    for (;;) {
      const compared = await this.spending.compare(after, this.clock.now(), SESSIONS_AT_ONCE);
      for (const session of compared) if (await this.tell(session)) found++;
      const last = compared.at(-1);
      if (!last || compared.length < SESSIONS_AT_ONCE) return found;
      after = last;
    }
  }

  private async tell({ tenantId, id, agentId, ...session }: ComparedSession): Promise<boolean> {
    if (session.erased > 0 || session.spent === session.logged) return false;
    const [spent, logged] = [toDollars(session.spent), toDollars(session.logged)];
    const said = session.said === null ? null : (parseJson(session.said) as { spent?: unknown; logged?: unknown });
    if (said && Number(said.spent) === spent && Number(said.logged) === logged) return false;
    await this.transactions.run(tenantId, (tx) => {
      this.auditLog.record(tx, haldirActor(tenantId), {
        source: 'haldir',
        sessionId: id,
        agentId,
        tool: 'haldir.watch',
        action: 'spent_differs',
        details: { spent, logged },
        flag: `spent_differs: the session's row says that ${spent} USD are spent, its payments in the log ${logged}`,
      });
      return Promise.resolve();
    });
    return true;
  }
}
