import { Injectable } from '@nestjs/common';
import { DataSource } from 'typeorm';
import { withDeadline } from '@haldir/kernel';
import { KeyRing } from '@haldir/crypto';
import { pendingMigrations, ping } from '@haldir/database';
import { QueueConnection } from '@haldir/queue';

export interface Check {
  name: 'database' | 'migrations' | 'encryption_key' | 'queue';
  ok: boolean;
  /** What the operator should look at; absent while all is well. */
  reason?: string;
}

const DEADLINE_MS = 2000;

/** Whether the process can serve: its database, the schema's version, its keys and its queue. */
@Injectable()
export class Readiness {
  constructor(
    private readonly dataSource: DataSource,
    private readonly keys: KeyRing,
    private readonly queue: QueueConnection,
  ) {}

  /** Every check answers within two seconds. */
  check(): Promise<Check[]> {
    return Promise.all([
      this.run('database', () => ping(this.dataSource)),
      this.run('migrations', async () => {
        const pending = await pendingMigrations(this.dataSource);
        if (pending.length > 0) throw new Error(`${pending.length} not run; run npm run migrate`);
      }),
      this.run('encryption_key', () => {
        this.keys.derive('haldir.readiness.v1');
        return Promise.resolve();
      }),
      this.run('queue', () => this.queue.ping()),
    ]);
  }

  private async run(name: Check['name'], probe: () => Promise<void>): Promise<Check> {
    try {
      await withDeadline(probe(), { ms: DEADLINE_MS, error: () => new Error('no answer in 2 s') });
      return { name, ok: true };
    } catch (error) {
      return {
        name,
        ok: false,
        reason: error instanceof Error && /^\d+ not run|^no answer/.test(error.message) ? error.message : 'unreachable',
      };
    }
  }
}
