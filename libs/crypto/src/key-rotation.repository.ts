import { EVERY_TENANT, type Transactions } from '@haldir/database';
import { IsNull } from 'typeorm';
import { KeyRotation } from './key-rotation.entity.js';

export class KeyRotationRepository {
  constructor(private readonly transactions: Transactions) {}

  /** Those that were begun and not finished, of one scope if one is named. */
  unfinished(scope?: string): Promise<KeyRotation[]> {
    return this.transactions.read(EVERY_TENANT, (manager) =>
      manager.find(KeyRotation, {
        where: { finishedAt: IsNull(), ...(scope === undefined ? {} : { scope }) },
        order: { id: 'ASC' },
      }),
    );
  }

  /** By the clock of the database, which is that of the keys' rows. */
  begin(scope: string): Promise<Pick<KeyRotation, 'id' | 'startedAt'>> {
    return this.transactions.run(EVERY_TENANT, async ({ manager }) => {
      const inserted = await manager
        .createQueryBuilder()
        .insert()
        .into(KeyRotation)
        .values({ scope, startedAt: () => 'clock_timestamp()' })
        .returning('id, started_at')
        .execute();
      const [row] = inserted.raw as { id: string; started_at: Date }[];
      if (!row) throw new Error('an insert answered no row');
      return { id: row.id, startedAt: row.started_at };
    });
  }

  async finish(id: string): Promise<void> {
    await this.transactions.run(EVERY_TENANT, ({ manager }) =>
      manager.update(KeyRotation, { id }, { finishedAt: () => 'clock_timestamp()' }),
    );
  }
}
