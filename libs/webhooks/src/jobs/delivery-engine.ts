import { type BeforeApplicationShutdown, Injectable, type OnModuleDestroy } from '@nestjs/common';
import { Clock } from '@haldir/kernel';
import { Transactions } from '@haldir/database';
import { HaldirConfig, Log, Metrics } from '@haldir/runtime';
import { type DeliveryKey, DeliveryRepository, type EndpointKey, type EndpointState } from '../delivery.repository.js';
import { breakerPause, EndpointHealth } from '../endpoint-health.js';
import { WebhookRepository } from '../webhook.repository.js';
import { WebhookService } from '../webhook.service.js';
import { type Attempted, DeliveryAttempts } from './delivery-attempts.js';
import { DeliverySlots } from './delivery-slots.js';
import { type Assignment, EndpointLane } from './endpoint-lane.js';
import { LRUCache } from 'lru-cache';

/** A dead worker's deliveries are free after this long; a living one renews in time. */
const LEASE_MS = 6000;
const RENEW_EVERY_MS = 2000;
const REMEMBERED_ENDPOINTS = 10_000;
/** Endpoints of one tenant at once: each holds a place among the jobs that run, and silent ones hold it for long. */
const LANES_PER_TENANT = 100;
const DISABLE_AFTER_MS = 5 * 24 * 3600 * 1000;

interface Held {
  key: DeliveryKey;
  /** `performance.now()` of the claim or the last renewal. */
  since: number;
}

interface Endpoint extends EndpointKey {
  health: EndpointHealth;
  /** As of the last claim. */
  state: EndpointState | null;
  /** Whether failures since the last success are noted in its row. */
  failing: boolean;
}

/** Sends what is due to endpoints, each on a lane of its own, within what tenants may have under way. */
@Injectable()
export class DeliveryEngine implements OnModuleDestroy, BeforeApplicationShutdown {
  private readonly slots: DeliverySlots;
  private readonly maxLanes: number;
  private readonly endpoints = new LRUCache<number, Endpoint>({ max: REMEMBERED_ENDPOINTS });
  private readonly lanes = new Map<number, EndpointLane>();
  /** How many of them a tenant has. */
  private readonly lanesOf = new Map<string, number>();
  private readonly running = new Set<Promise<void>>();
  private readonly held = new Map<string, Held>();
  private readonly renewing: NodeJS.Timeout;
  private ending = false;

  constructor(
    private readonly deliveries: DeliveryRepository,
    private readonly webhooks: WebhookRepository,
    private readonly service: WebhookService,
    private readonly attempts: DeliveryAttempts,
    private readonly transactions: Transactions,
    config: HaldirConfig,
    metrics: Metrics,
    private readonly clock: Clock,
    private readonly log: Log,
  ) {
    const { concurrency } = config.webhooks;
    this.slots = new DeliverySlots(concurrency, Math.max(1, Math.ceil(concurrency * 0.6)));
    this.maxLanes = Math.max(1, Math.ceil(concurrency / 2));
    this.renewing = setInterval(() => void this.renew(), RENEW_EVERY_MS / 2);
    this.renewing.unref();
    metrics.gauge('haldir_webhook_deliveries_due', 'Webhook deliveries that are due or under way', [], async () => [
      [{}, await this.deliveries.countDue(this.clock.now())],
    ]);
  }

  /**
   * Sends until nothing is due. Returns at once when a lane of this process is at it already, and when the tenant has
   * as many lanes as it may have: the sweep then comes back to the endpoint.
   */
  async drain({ tenantId, webhookId }: EndpointKey): Promise<void> {
    const running = this.lanes.get(webhookId);
    if (running) {
      running.again();
      return;
    }
    const lanes = this.lanesOf.get(tenantId) ?? 0;
    if (this.ending || lanes >= LANES_PER_TENANT) return;
    this.lanesOf.set(tenantId, lanes + 1);
    const endpoint = this.endpointOf({ tenantId, webhookId });
    const lane = new EndpointLane(endpoint, endpoint.health, {
      claim: (take) => this.claim(endpoint, take),
      send: (assignment) => this.send(endpoint, assignment),
      release: (assignments) => this.release(assignments.map(({ delivery }) => delivery)),
    });
    this.lanes.set(webhookId, lane);
    const run = lane.run();
    this.running.add(run);
    try {
      await run;
    } finally {
      this.running.delete(run);
      this.lanes.delete(webhookId);
      const left = (this.lanesOf.get(tenantId) ?? 1) - 1;
      if (left > 0) this.lanesOf.set(tenantId, left);
      else this.lanesOf.delete(tenantId);
    }
  }

  onModuleDestroy(): void {
    this.ending = true;
    for (const lane of this.lanes.values()) lane.stop();
  }

  /** What is under way is written down, whether or not the queue is there to wait for it. */
  async beforeApplicationShutdown(): Promise<void> {
    await Promise.allSettled(this.running);
  }

  private async claim(endpoint: Endpoint, take: number): Promise<Assignment[]> {
    const { tenantId, webhookId } = endpoint;
    const now = this.clock.now();
    const claim = await this.deliveries.claim({
      tenantId,
      webhookId,
      take,
      now,
      leasedUntil: new Date(now.getTime() + LEASE_MS),
    });
    if (claim.endpoint === null) return [];
    endpoint.state = claim.endpoint;
    endpoint.failing = claim.endpoint.failingSince !== null || claim.endpoint.probing;
    const opened = await this.attempts.open(tenantId, webhookId, claim.endpoint);
    const since = performance.now();
    for (const key of claim.deliveries) this.held.set(nameOf(key), { key, since });
    return claim.deliveries.map((delivery) => ({ delivery, endpoint: opened }));
  }

  private async send(
    endpoint: Endpoint,
    { delivery, endpoint: opened }: Assignment,
  ): Promise<{ goOn: boolean; written: Promise<void> }> {
    await this.slots.acquire(endpoint.tenantId);
    let attempted: Attempted;
    try {
      // It may have waited for long: the process ends, or the endpoint was deleted or switched off meanwhile.
      if (this.ending || !this.held.has(nameOf(delivery))) {
        return { goOn: !this.ending, written: this.release([delivery]) };
      }
      attempted = await this.attempts.make(delivery, opened, this.maxLanes);
    } finally {
      this.slots.release(endpoint.tenantId);
    }
    const { outcome, gone } = attempted;
    const settled = this.deliveries.settle(outcome).finally(() => this.held.delete(nameOf(delivery)));
    if (outcome.error === null) {
      endpoint.health.succeeded(outcome.at);
      if (!endpoint.failing) return { goOn: true, written: settled };
      endpoint.failing = false;
      endpoint.health.reset();
      const recovered = this.webhooks.noteRecovery(endpoint);
      // After a successful probe there is more than the one delivery it was allowed.
      return { goOn: true, written: both(settled, recovered).then(() => this.lanes.get(endpoint.webhookId)?.again()) };
    }
    const probeFailed = endpoint.state?.probing ?? false;
    const opens = endpoint.health.failed(outcome.at) || probeFailed;
    endpoint.failing = true;
    if (opens) endpoint.health.reset();
    // An endpoint that is switched off cancels what waits; this delivery is written down as failed before.
    const noted = settled.then(() => this.noteFailure(endpoint, outcome.at, opens, gone));
    return { goOn: !opens && !gone, written: noted };
  }

  private async noteFailure(endpoint: Endpoint, at: Date, opens: boolean, gone: boolean): Promise<void> {
    const { tenantId, webhookId } = endpoint;
    if (opens && !gone) {
      const seconds = breakerPause(endpoint.state?.breakerSeconds ?? 0);
      await this.webhooks.openBreaker(endpoint, new Date(this.clock.now().getTime() + seconds * 1000), seconds);
      this.log.warn({ event: 'webhook.paused', tenant: tenantId, webhook: webhookId, seconds });
    }
    const failingSince = await this.webhooks.noteFailure(endpoint, at);
    const forDays = at.getTime() - failingSince.getTime() >= DISABLE_AFTER_MS;
    if (!gone && !forDays) return;
    const reason = gone ? 'gone' : 'failing';
    await this.transactions.run(endpoint.tenantId, (tx) => this.service.disable(tx, endpoint, reason));
    this.log.warn({ event: 'webhook.disabled', tenant: tenantId, webhook: webhookId, reason });
  }

  private async release(keys: readonly DeliveryKey[]): Promise<void> {
    for (const key of keys) this.held.delete(nameOf(key));
    await this.deliveries.release(keys);
  }

  /** Deliveries that take longer than most are held on to, unless they were cancelled meanwhile. */
  private async renew(): Promise<void> {
    const now = performance.now();
    const ageing = [...this.held.values()].filter(({ since }) => now - since >= RENEW_EVERY_MS);
    if (ageing.length === 0) return;
    for (const held of ageing) held.since = now;
    try {
      const renewed = await this.deliveries.renew(
        ageing.map(({ key }) => key),
        new Date(this.clock.now().getTime() + LEASE_MS),
      );
      const kept = new Set(renewed.map(nameOf));
      for (const { key } of ageing) if (!kept.has(nameOf(key))) this.held.delete(nameOf(key));
    } catch {
      // Another worker may then send them too; receivers know them by their webhook-id.
    }
  }

  private endpointOf(key: EndpointKey): Endpoint {
    const known = this.endpoints.get(key.webhookId);
    if (known) return known;
    const endpoint = { ...key, health: new EndpointHealth(this.maxLanes), state: null, failing: false };
    this.endpoints.set(key.webhookId, endpoint);
    return endpoint;
  }
}

async function both(one: Promise<void>, other: Promise<void>): Promise<void> {
  await Promise.all([one, other]);
}

function nameOf({ eventId, webhookId }: DeliveryKey): string {
  return `${eventId} ${webhookId}`;
}
