import { Injectable, type OnModuleDestroy } from '@nestjs/common';
import { Clock } from '@haldir/kernel';
import { EVERY_TENANT, Transactions } from '@haldir/database';
import { EventListeners } from '../event-listeners.js';
import { OutboxRepository } from '../outbox.repository.js';
import { Metrics } from '@haldir/runtime';

const BATCH = 500;

/** Takes events from the outbox, oldest first, and tells them to whoever listens. Several processes may do so at once. */
@Injectable()
export class OutboxRelay implements OnModuleDestroy {
  private ending = false;

  constructor(
    private readonly outbox: OutboxRepository,
    private readonly transactions: Transactions,
    private readonly listeners: EventListeners,
    metrics: Metrics,
    clock: Clock,
  ) {
    const oldestSeconds = (oldest: Date | null): number =>
      oldest === null ? 0 : Math.max(0, clock.now().getTime() - oldest.getTime()) / 1000;
    metrics.gauge('haldir_outbox_events', 'Events that wait in the outbox', [], async () => [
      [{}, (await outbox.lag()).events],
    ]);
    metrics.gauge(
      'haldir_outbox_lag_seconds',
      'Age of the oldest event in the outbox; 0 when it is empty',
      [],
      async () => [[{}, oldestSeconds((await outbox.lag()).oldest)]],
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
      const events = await this.outbox.in(tx).take(BATCH);
      if (events.length > 0) await this.listeners.tell(tx, events);
      return events.length;
    });
  }
}
