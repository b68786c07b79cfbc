import { Injectable } from '@nestjs/common';
import { Transactions } from '@haldir/database';

const renew = `
  INSERT INTO process_lease (process_id, ends_at) VALUES ($1, clock_timestamp() + make_interval(secs => $2))
    ON CONFLICT (process_id) DO UPDATE SET ends_at = excluded.ends_at`;

const forget = `
  DELETE FROM process_lease l WHERE ends_at < clock_timestamp() - make_interval(secs => $1)
     AND NOT EXISTS (SELECT FROM started_call s WHERE s.process_id = l.process_id)`;

/** Which processes are alive, by the clock of the database. */
@Injectable()
export class ProcessLeaseRepository {
  constructor(private readonly transactions: Transactions) {}

  async renew(processId: string, seconds: number): Promise<void> {
    await this.transactions.queryAll(renew, [processId, seconds]);
  }

  async leave(processId: string): Promise<void> {
    await this.transactions.queryAll('DELETE FROM process_lease WHERE process_id = $1', [processId]);
  }

  /** Removes leases that ended longer ago than `seconds`, once no call stands under them. */
  async forget(seconds: number): Promise<void> {
    await this.transactions.queryAll(forget, [seconds]);
  }
}
