import { ECDH, hash } from 'node:crypto';
import { Injectable } from '@nestjs/common';
import { type Actor, Clock, InvalidInput, newId } from '@haldir/kernel';
import { AuditLog } from '@haldir/audit-log';
import { Transactions, type Tx } from '@haldir/database';
import { Egress, EgressRefused } from '@haldir/egress';
import { Unauthenticated } from '@haldir/http';
import { PushSubscriptionNotFound, TooManyPushSubscriptions } from './push.errors.js';
import { type PushAddress, PushSeal } from './push-seal.js';
import { PushSubscription } from './push-subscription.entity.js';
import { PushSubscriptionRepository } from './push-subscription.repository.js';

/** Of a person. */
const MOST = 10;
const PLAIN_HOST = /^[a-z0-9.-]+$/;
const LOOPBACK = /^(?:localhost|127(?:\.\d{1,3}){3}|\[::1\])$/;

export interface NewPushSubscription extends PushAddress {
  browser: string;
}

/** The browsers in which a person is told: added and removed by themselves. */
@Injectable()
export class PushSubscriptionsService {
  constructor(
    private readonly subscriptions: PushSubscriptionRepository,
    private readonly seal: PushSeal,
    private readonly egress: Egress,
    private readonly auditLog: AuditLog,
    private readonly transactions: Transactions,
    private readonly clock: Clock,
  ) {}

  /** Newest first. */
  of({ tenantId, id }: Actor): Promise<PushSubscription[]> {
    return this.subscriptions.of(tenantId, id);
  }

  /**
   * Adds a browser, or takes it over: whoever asked for it last is told in it.
   *
   * @throws InvalidInput, TooManyPushSubscriptions; Unauthenticated for who was removed meanwhile
   */
  async add(person: Actor, { endpoint, keys, browser }: NewPushSubscription): Promise<PushSubscription> {
    const { tenantId, id: personId } = person;
    const { host: service } = await this.vet(endpoint);
    if (!isPoint(keys.p256dh)) throw new InvalidInput('keys.p256dh: expected a point of P-256, in base64url');
    const subscription = Object.assign(new PushSubscription(), {
      tenantId,
      id: newId('psh'),
      personId,
      service,
      browser,
      createdAt: this.clock.now(),
      toldAt: null,
      endpointHash: hash('sha256', endpoint, 'buffer'),
    });
    await this.transactions.run(tenantId, async (tx) => {
      subscription.sealed = await this.seal.seal(tx, subscription, { endpoint, keys });
      const subscriptions = this.subscriptions.in(tx);
      if (!(await subscriptions.hold(tenantId, personId))) throw new Unauthenticated();
      if ((await subscriptions.countOthers(subscription)) >= MOST) throw new TooManyPushSubscriptions(MOST);
      await subscriptions.save(subscription);
      this.record(tx, person, 'push_subscribed', subscription.id, { service });
    });
    return subscription;
  }

  /** One's own. @throws PushSubscriptionNotFound */
  async remove(person: Actor, id: string): Promise<void> {
    await this.transactions.run(person.tenantId, async (tx) => {
      if (!(await this.subscriptions.in(tx).remove(person.tenantId, person.id, id)))
        throw new PushSubscriptionNotFound();
      this.record(tx, person, 'push_unsubscribed', id, {});
    });
  }

  /** Only over TLS, but on this machine, where egress allows that. */
  private async vet(endpoint: string): Promise<URL> {
    try {
      const url = await this.egress.vet(endpoint);
      // As it stands, so that whoever reads it next reads the same host: the audience of its token is one.
      const isPlain = PLAIN_HOST.test(url.hostname) && endpoint.startsWith(`${url.origin}/`);
      if (isPlain && (url.protocol === 'https:' || LOOPBACK.test(url.hostname))) return url;
    } catch (error) {
      if (!(error instanceof EgressRefused)) throw error;
    }
    throw new InvalidInput('endpoint: expected the https address of a push service that may be reached');
  }

  private record(tx: Tx, person: Actor, action: string, id: string, more: Record<string, unknown>): void {
    const details = { person_id: person.id, subscription_id: id, ...more };
    this.auditLog.record(tx, person, { source: 'haldir', tool: 'haldir.people', action, details });
  }
}

function isPoint(key: string): boolean {
  try {
    return ECDH.convertKey(key, 'prime256v1', 'base64url').length > 0;
  } catch {
    return false;
  }
}
