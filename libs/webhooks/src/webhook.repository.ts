import { Injectable } from '@nestjs/common';
import { Transactions, type Tx } from '@haldir/database';
import { IsNull, LessThan } from 'typeorm';
import { Delivery } from './delivery.entity.js';
import { type EndpointKey } from './delivery.repository.js';
import { type DisabledReason, Webhook } from './webhook.entity.js';

/** As if nothing had ever failed. */
const WELL = { failingSince: null, breakerUntil: null, breakerSeconds: 0 } as const;

/** The endpoints. */
@Injectable()
export class WebhookRepository {
  constructor(private readonly transactions: Transactions) {}

  /** The number of the next endpoint, of any tenant. */
  async nextId(): Promise<number> {
    const [row] = await this.transactions.queryAll<{ id: string }>(`SELECT nextval('webhook_id') AS id`);
    if (!row) throw new Error('a sequence answered no row');
    return Number(row.id);
  }

  find(tenantId: string, id: number): Promise<Webhook | null> {
    return this.transactions.read(tenantId, (manager) =>
      manager.findOneBy(Webhook, { tenantId, id, deletedAt: IsNull() }),
    );
  }

  /** Up to `limit` of the tenant's endpoints, newest first, behind the one with id `before`. */
  list(tenantId: string, limit: number, before: number | null): Promise<Webhook[]> {
    return this.transactions.read(tenantId, (manager) =>
      manager.find(Webhook, {
        where: { tenantId, deletedAt: IsNull(), ...(before === null ? {} : { id: LessThan(before) }) },
        order: { id: 'DESC' },
        take: limit,
      }),
    );
  }

  /** Notes that a delivery failed; answers since when nothing but failures came. */
  async noteFailure({ tenantId, webhookId }: EndpointKey, at: Date): Promise<Date> {
    const { raw } = (await this.transactions.run(tenantId, ({ manager }) =>
      manager
        .createQueryBuilder()
        .update(Webhook)
        // One statement, which waits for whoever is switching the endpoint on.
        .set({ failingSince: () => 'coalesce(failing_since, :at)' })
        .where({ tenantId, id: webhookId })
        .setParameter('at', at)
        .returning('failing_since')
        .execute(),
    )) as { raw: { failing_since: Date }[] };
    return raw[0]?.failing_since ?? at;
  }

  /** Notes that a delivery succeeded after failures: the breaker is closed. */
  async noteRecovery({ tenantId, webhookId: id }: EndpointKey): Promise<void> {
    await this.transactions.run(tenantId, (tx) => tx.manager.update(Webhook, { tenantId, id }, WELL));
  }

  /** Has deliveries wait until then. */
  async openBreaker({ tenantId, webhookId: id }: EndpointKey, until: Date, seconds: number): Promise<void> {
    const open = { breakerUntil: until, breakerSeconds: seconds };
    await this.transactions.run(tenantId, (tx) => tx.manager.update(Webhook, { tenantId, id }, open));
  }

  in(tx: Tx) {
    return {
      count: (tenantId: string): Promise<number> => tx.manager.countBy(Webhook, { tenantId, deletedAt: IsNull() }),
      insert: (webhook: Webhook): Promise<unknown> => tx.manager.insert(Webhook, webhook),
      /** Locks the row until the transaction ends. */
      findForUpdate: (tenantId: string, id: number): Promise<Webhook | null> =>
        tx.manager.findOne(Webhook, {
          where: { tenantId, id, deletedAt: IsNull() },
          lock: { mode: 'pessimistic_write' },
        }),
      saveSecrets: ({ tenantId, id, secret, secretPrev, secretPrevExpiresAt }: Webhook): Promise<unknown> =>
        tx.manager.update(Webhook, { tenantId, id }, { secret, secretPrev, secretPrevExpiresAt }),
      /** What is left out stays. */
      change: (tenantId: string, id: number, changes: Partial<Webhook>): Promise<unknown> =>
        tx.manager.update(Webhook, { tenantId, id }, changes),
      /** Switches the endpoint on, as if nothing had ever failed. */
      enable: async (tenantId: string, id: number): Promise<void> => {
        await tx.manager.update(Webhook, { tenantId, id }, { disabledAt: null, disabledReason: null, ...WELL });
      },
      /** Ends the endpoint and what waits for it; false when the tenant has none of that id. Its secrets are gone. */
      remove: async (tenantId: string, id: number, now: Date): Promise<boolean> => {
        const gone = { secret: Buffer.alloc(0), secretPrev: null, secretPrevExpiresAt: null };
        const there = { tenantId, id, deletedAt: IsNull() };
        const { affected } = await tx.manager.update(Webhook, there, { deletedAt: now, ...gone });
        if (affected === 1) await cancelPending(tx, tenantId, id);
        return affected === 1;
      },
      /** Switches the endpoint off and ends what waits for it; false when it was off before. */
      disable: async (tenantId: string, id: number, now: Date, reason: DisabledReason): Promise<boolean> => {
        const on = { tenantId, id, deletedAt: IsNull(), disabledAt: IsNull() };
        const { affected } = await tx.manager.update(Webhook, on, { disabledAt: now, disabledReason: reason });
        if (affected === 1) await cancelPending(tx, tenantId, id);
        return affected === 1;
      },
    };
  }
}

async function cancelPending(tx: Tx, tenantId: string, webhookId: number): Promise<void> {
  const pending = { tenantId, webhookId, state: 'pending' } as const;
  await tx.manager.update(Delivery, pending, { state: 'cancelled', leasedUntil: null });
}
