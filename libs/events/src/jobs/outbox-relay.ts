import { Injectable, type OnModuleDestroy } from '@nestjs/common';
import { Clock } from '@haldir/kernel';
import { EVERY_TENANT, Transactions } from '@haldir/database';
import { EventListeners, type PublishedEvent } from '../event-listeners.js';
import { type EventType } from '../outbox.js';
import { Metrics } from '@haldir/runtime';

const BATCH = 500;

const takeRows = {
  name: 'outbox.take.v1',
  text: `DELETE FROM outbox WHERE id = ANY (ARRAY(SELECT id FROM outbox ORDER BY id LIMIT $1 FOR UPDATE SKIP LOCKED))
         RETURNING id, tenant_id, event_id, type, data, created_at`,
};
const lag = { name: 'outbox.lag.v1', text: 'SELECT count(*) AS rows, min(created_at) AS oldest FROM outbox' };

interface OutboxRow {
  id: string;
  tenant_id: string;
  event_id: string;
  type: EventType;
  data: Record<string, unknown>;
  created_at: Date;
}

/** Takes events from the outbox, oldest first, and tells them to whoever listens. Several processes may do so at once. */
@Injectable()
export class OutboxRelay implements OnModuleDestroy {
  private ending = false;

  constructor(
    private readonly transactions: Transactions,
    private readonly listeners: EventListeners,
    metrics: Metrics,
    clock: Clock,
  ) {
    const read = async (): Promise<{ rows: number; oldestSeconds: number }> => {
      const [row] = await transactions.queryAll<{ rows: string; oldest: Date | null }>(lag);
      const oldest = row?.oldest ?? null;
      return {
        rows: Number(row?.rows ?? 0),
        oldestSeconds: oldest === null ? 0 : Math.max(0, clock.now().getTime() - oldest.getTime()) / 1000,
      };
    };
    metrics.gauge('haldir_outbox_events', 'Events that wait in the outbox', [], async () => [
      [{}, (await read()).rows],
    ]);
    metrics.gauge(
      'haldir_outbox_lag_seconds',
      'Age of the oldest event in the outbox; 0 when it is empty',
      [],
      async () => [[{}, (await read()).oldestSeconds]],
    );
  }

  onModuleDestroy(): void {
    this.ending = true;
  }

  /** Goes on until the outbox is empty or the process ends; answers how many events were told. */
  async drain(): Promise<number> {
    let told = 0;
    while (!this.ending) {
      const taken = await this.relayBatch();
      told += taken;
      if (taken < BATCH) break;
    }
    return told;
  }

  private relayBatch(): Promise<number> {
    return this.transactions.run(EVERY_TENANT, async (tx) => {
      const rows = await tx.query<OutboxRow>(takeRows, [BATCH]);
      if (rows.length === 0) return 0;
      rows.sort((a, b) => Number(BigInt(a.id) - BigInt(b.id)));
      await this.listeners.tell(tx, rows.map(toEvent));
      return rows.length;
    });
  }
}

function toEvent({ tenant_id, event_id, type, data, created_at }: OutboxRow): PublishedEvent {
  return { tenantId: tenant_id, eventId: event_id, type, data, at: created_at };
}
