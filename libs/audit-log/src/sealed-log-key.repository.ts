import { Injectable } from '@nestjs/common';
import { Transactions, type Tx } from '@haldir/database';
import { SealedLogKey } from './sealed-log-key.entity.js';

@Injectable()
export class SealedLogKeyRepository {
  constructor(private readonly transactions: Transactions) {}

  find(tenantId: string): Promise<SealedLogKey | null> {
    return this.transactions.read(tenantId, (manager) => manager.findOneBy(SealedLogKey, { tenantId }));
  }

  in(tx: Tx) {
    return {
      /** Changes nothing when the log has one. */
      insert: async (key: SealedLogKey): Promise<void> => {
        await tx.manager.createQueryBuilder().insert().into(SealedLogKey).values(key).orIgnore().execute();
      },
    };
  }
}
