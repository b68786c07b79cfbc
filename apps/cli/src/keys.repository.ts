import { type Transactions } from '@haldir/database';
import { type QueryRunner } from 'typeorm';

const ROTATION_LOCK = 7_247_411_005;

/** What the commands about keys ask for themselves. */
export class KeysRepository {
  constructor(private readonly transactions: Transactions) {}

  /** Whether keys and sessions of an earlier version wait for their MACs. */
  async hasUnsealedGrants(): Promise<boolean> {
    return (await this.transactions.queryAll(`SELECT FROM system_key WHERE name = 'master'`)).length > 0;
  }

  async hasTenant(id: string): Promise<boolean> {
    return (await this.transactions.query('SELECT FROM tenant WHERE id = $1', [id])).length > 0;
  }
}

/** That nobody else rotates keys. The lock belongs to the connection: it goes with a process that was killed. */
export class RotationLock {
  constructor(private readonly connection: QueryRunner) {}

  /** False while another has it. */
  async take(): Promise<boolean> {
    const rows = (await this.connection.query('SELECT pg_try_advisory_lock($1) AS taken', [ROTATION_LOCK])) as {
      taken: boolean;
    }[];
    return rows[0]?.taken === true;
  }

  async release(): Promise<void> {
    await this.connection.query('SELECT pg_advisory_unlock($1)', [ROTATION_LOCK]);
  }
}
