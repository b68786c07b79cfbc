import { Injectable } from '@nestjs/common';
import { Transactions, type Tx } from '@haldir/database';
import { IsNull, LessThan } from 'typeorm';
import { type EndpointKey } from './delivery.repository.js';
import { type DisabledReason, Webhook } from './webhook.entity.js';

const fail = {
  name: 'webhook.fail.v1',
  text: `UPDATE webhook SET failing_since = coalesce(failing_since, $3) WHERE tenant_id = $1 AND id = $2 RETURNING failing_since`,
};
const recover = {
  name: 'webhook.recover.v1',
  text: `UPDATE webhook SET failing_since = NULL, breaker_until = NULL, breaker_seconds = 0 WHERE tenant_id = $1 AND id = $2`,
};
const nextId = { name: 'webhook.next_id.v1', text: `SELECT nextval('webhook_id') AS id` };
const openBreaker = {
  name: 'webhook.open_breaker.v1',
  text: `UPDATE webhook SET breaker_until = $3, breaker_seconds = $4 WHERE tenant_id = $1 AND id = $2`,
};

/** The endpoints. */
@Injectable()
export class WebhookRepository {
  constructor(private readonly transactions: Transactions) {}

  /** The number of the next endpoint, of any tenant. */
  async nextId(): Promise<number> {
    const [row] = await this.transactions.queryAll<{ id: string }>(nextId);
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
    const [row] = await this.transactions.query<{ failing_since: Date }>(fail, [tenantId, webhookId, at]);
    return row?.failing_since ?? at;
  }

  /** Notes that a delivery succeeded after failures: the breaker is closed. */
  async noteRecovery({ tenantId, webhookId }: EndpointKey): Promise<void> {
    await this.transactions.query(recover, [tenantId, webhookId]);
  }

  /** Has deliveries wait until then. */
  async openBreaker({ tenantId, webhookId }: EndpointKey, until: Date, seconds: number): Promise<void> {
    await this.transactions.query(openBreaker, [tenantId, webhookId, until, seconds]);
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
        await tx.query(
          `UPDATE webhook SET disabled_at = NULL, disabled_reason = NULL, failing_since = NULL, breaker_until = NULL, breaker_seconds = 0
            WHERE tenant_id = $1 AND id = $2`,
          [tenantId, id],
        );
      },
      /** Ends the endpoint and what waits for it; false when the tenant has none of that id. Its secrets are gone. */
      remove: async (tenantId: string, id: number, now: Date): Promise<boolean> => {
        const rows = await tx.query(
          `UPDATE webhook SET deleted_at = $3, secret = '', secret_prev = NULL, secret_prev_expires_at = NULL
            WHERE tenant_id = $1 AND id = $2 AND deleted_at IS NULL RETURNING 1 AS done`,
          [tenantId, id, now],
        );
        if (rows.length > 0) await cancelPending(tx, tenantId, id);
        return rows.length > 0;
      },
      /** Switches the endpoint off and ends what waits for it; false when it was off before. */
      disable: async (tenantId: string, id: number, now: Date, reason: DisabledReason): Promise<boolean> => {
        const rows = await tx.query(
          `UPDATE webhook SET disabled_at = $3, disabled_reason = $4
            WHERE tenant_id = $1 AND id = $2 AND deleted_at IS NULL AND disabled_at IS NULL RETURNING 1 AS done`,
          [tenantId, id, now, reason],
        );
        if (rows.length > 0) await cancelPending(tx, tenantId, id);
        return rows.length > 0;
      },
    };
  }
}

async function cancelPending(tx: Tx, tenantId: string, webhookId: number): Promise<void> {
  await tx.query(
    `UPDATE webhook_delivery SET state = 'cancelled', leased_until = NULL
      WHERE tenant_id = $1 AND webhook_id = $2 AND state = 'pending'`,
    [tenantId, webhookId],
  );
}
