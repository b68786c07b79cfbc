import { Injectable } from '@nestjs/common';
import { Transactions, type Tx } from '@haldir/database';
import { PushSubscription } from './push-subscription.entity.js';

const hold = `SELECT 1 AS there FROM membership WHERE tenant_id = $1 AND person_id = $2 AND removed_at IS NULL FOR UPDATE`;

/** Browsers that people have told to be told in. */
@Injectable()
export class PushSubscriptionRepository {
  constructor(private readonly transactions: Transactions) {}

  /** All of a person's, newest first: a bounded number. */
  of(tenantId: string, personId: string): Promise<PushSubscription[]> {
    return this.transactions.read(tenantId, (manager) =>
      manager.find(PushSubscription, { where: { tenantId, personId }, order: { id: 'DESC' } }),
    );
  }

  in(tx: Tx) {
    return {
      /** False for somebody who was removed; else nobody removes them, or adds another, until the transaction ends. */
      hold: async (tenantId: string, personId: string): Promise<boolean> =>
        (await tx.query(hold, [tenantId, personId])).length === 1,
      /** Of a person, beside the one of that endpoint. */
      countOthers: ({ tenantId, personId, endpointHash }: PushSubscription): Promise<number> =>
        tx.manager
          .createQueryBuilder(PushSubscription, 's')
          .where({ tenantId, personId })
          .andWhere('s.endpointHash <> :endpointHash', { endpointHash })
          .getCount(),
      /** In place of the one of the same endpoint, whosever it was. */
      save: (subscription: PushSubscription): Promise<unknown> =>
        tx.manager.upsert(PushSubscription, subscription, ['tenantId', 'endpointHash']),
      /** False when the person has none of that id. */
      remove: async (tenantId: string, personId: string, id: string): Promise<boolean> =>
        (await tx.manager.delete(PushSubscription, { tenantId, personId, id })).affected === 1,
      markTold: (tenantId: string, ids: readonly string[], toldAt: Date): Promise<unknown> =>
        tx.query('UPDATE push_subscription SET told_at = $3 WHERE tenant_id = $1 AND id = ANY ($2)', [
          ...[tenantId, ids, toldAt],
        ]),
      removeGone: (tenantId: string, ids: readonly string[]): Promise<unknown> =>
        tx.query('DELETE FROM push_subscription WHERE tenant_id = $1 AND id = ANY ($2)', [tenantId, ids]),
    };
  }
}
