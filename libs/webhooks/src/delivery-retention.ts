import { Injectable } from '@nestjs/common';
import { Clock, firstIdAt } from '@haldir/kernel';
import { HaldirConfig } from '@haldir/runtime';
import { OldDeliveryRepository } from './old-delivery.repository.js';

const BATCH = 1_000;
const TENANTS_AT_ONCE = 100;

/** Events are kept with their deliveries and attempts for so long; what is still to be delivered is kept beyond. */
@Injectable()
export class DeliveryRetention {
  constructor(
    private readonly deliveries: OldDeliveryRepository,
    private readonly config: HaldirConfig,
    private readonly clock: Clock,
  ) {}

  /** Removes what is old, a batch a statement; answers how many events there were. Safe to run anywhere, any number of times. */
  async purge(): Promise<number> {
    const cutoff = firstIdAt('evt', new Date(this.clock.now().getTime() - this.config.webhooks.retentionMs));
    let purged = 0;
    for (let last = ''; ;) {
      const tenants = await this.deliveries.tenantsWithOld(cutoff, last, TENANTS_AT_ONCE);
      for (const tenantId of tenants) purged += await this.purgeTenant(tenantId, cutoff);
      if (tenants.length < TENANTS_AT_ONCE) return purged;
      last = tenants.at(-1) ?? '';
    }
  }

  private async purgeTenant(tenantId: string, cutoff: string): Promise<number> {
    let purged = 0;
    for (let events = BATCH; events === BATCH; purged += events) {
      events = await this.deliveries.purgeEvents(tenantId, cutoff, BATCH);
    }
    while ((await this.deliveries.purgeAttempts(tenantId, cutoff, BATCH)) === BATCH);
    return purged;
  }
}
