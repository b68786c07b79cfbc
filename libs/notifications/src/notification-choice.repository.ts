import { Injectable } from '@nestjs/common';
import { Transactions, type Tx } from '@haldir/database';
import { NotificationChoice } from './notification-choice.entity.js';

@Injectable()
export class NotificationChoiceRepository {
  constructor(private readonly transactions: Transactions) {}

  find(tenantId: string, personId: string): Promise<NotificationChoice | null> {
    return this.transactions.read(tenantId, (manager) => manager.findOneBy(NotificationChoice, { tenantId, personId }));
  }

  in(tx: Tx) {
    return {
      find: (tenantId: string, personId: string): Promise<NotificationChoice | null> =>
        tx.manager.findOneBy(NotificationChoice, { tenantId, personId }),
      save: (choice: NotificationChoice): Promise<unknown> =>
        tx.manager.upsert(NotificationChoice, choice, ['tenantId', 'personId']),
      remove: (tenantId: string, personId: string): Promise<unknown> =>
        tx.manager.delete(NotificationChoice, { tenantId, personId }),
    };
  }
}
