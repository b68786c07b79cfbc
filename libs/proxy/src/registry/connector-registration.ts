import { Injectable } from '@nestjs/common';
import { type Actor, Clock, newId } from '@haldir/kernel';
import { Transactions, type Tx } from '@haldir/database';
import { Log } from '@haldir/runtime';
import { connectorUrl } from '../connectors/connector-url.js';
import { ConnectorLeaseRepository, type Instance, type LeaseTerms } from '../connectors/connector-lease.repository.js';
import { ConnectedUpstreamRemoved, TooManyInstances, UpstreamExists } from '../connectors/connectors.errors.js';
import { type UpstreamTerms } from '../upstreams/upstream-settings.js';
import { NO_LIMITS } from '../upstreams/upstream-limits.js';
import { UpstreamRegistry } from './upstream-registry.js';

/** A process of a connector, by what it says of itself. */
export interface ConnectorProcess {
  instance: string;
  isPerSession: boolean;
  /** Public id of the key that it comes with. */
  keyId: string;
}

/** How long a lease lasts unless it is renewed, and how often that is to be done. */
export const LEASE_SECONDS = 30;
export const HEARTBEAT_SECONDS = 10;
const MAX_INSTANCES = 64;
/** As for a registration that says nothing of them. */
const TERMS: UpstreamTerms = { prefixed: true, separator: '__', toolsMaxAgeSeconds: 20 };

/** Connectors that come and go, and the upstreams that they stand for: the first to come registers its own. */
@Injectable()
export class ConnectorRegistration {
  constructor(
    private readonly leases: ConnectorLeaseRepository,
    private readonly registry: UpstreamRegistry,
    private readonly transactions: Transactions,
    private readonly log: Log,
    private readonly clock: Clock,
  ) {}

  /** Renews a lease; false where there is none to be renewed. */
  renew({ tenantId }: Actor, upstream: string, process: ConnectorProcess): Promise<boolean> {
    const instance = { tenantId, upstream, instance: process.instance };
    return this.leases.renew(instance, termsOf(process), connectorUrl(upstream));
  }

  /** Whether the process had a lease of the upstream as it is registered now. */
  isKnown(tenantId: string, upstream: string, instance: string): Promise<boolean> {
    return this.leases.isKnown({ tenantId, upstream, instance }, connectorUrl(upstream));
  }

  /**
   * Makes a lease. The upstream is asked for its tools soon after, which nobody waits for.
   *
   * @throws UpstreamExists, ConnectedUpstreamRemoved, TooManyInstances, TooManyUpstreams
   */
  async make(actor: Actor, upstream: string, process: ConnectorProcess): Promise<void> {
    const { tenantId } = actor;
    const instance = { tenantId, upstream, instance: process.instance };
    await this.transactions.run(tenantId, (tx) => this.put(tx, actor, instance, termsOf(process)));
    void this.look(tenantId, upstream);
  }

  /** Ends a lease; what is under way there fails at once. */
  async leave(tenantId: string, upstream: string, instance: string): Promise<void> {
    if (await this.leases.end({ tenantId, upstream, instance })) void this.look(tenantId, upstream);
  }

  private async put(tx: Tx, actor: Actor, instance: Instance, terms: LeaseTerms): Promise<void> {
    const { tenantId, upstream } = instance;
    const leases = this.leases.in(tx);
    await leases.hold(tenantId, upstream);
    const [registered, { others, own }] = await Promise.all([
      leases.registered(tenantId, upstream),
      leases.known(instance),
    ]);
    if (registered && registered.url !== connectorUrl(upstream)) throw new UpstreamExists();
    // What it was told before is masked no more: it has to ask again, as it does at its start.
    if (own && !(registered && [registered.revision, ''].includes(own.registration)))
      throw new ConnectedUpstreamRemoved();
    if (others >= MAX_INSTANCES) throw new TooManyInstances(MAX_INSTANCES);
    const registration = registered?.revision ?? (await this.register(tx, actor, upstream));
    await leases.put(instance, terms, registration);
  }

  /** Answers the revision. */
  private async register(tx: Tx, actor: Actor, name: string): Promise<string> {
    const { tenantId } = actor;
    const revision = newId('upr');
    const address = { tenantId, name, url: connectorUrl(name), revision, headers: null, ...NO_LIMITS };
    const error = 'Its connector has just come, and was not asked for its tools yet';
    const unknown = { healthy: false, reason: 'connect', error, status: null, betterUrl: null } as const;
    const discovered = { askedAt: this.clock.now(), ...unknown };
    await this.registry.register(
      tx,
      actor,
      { address, discovered, resources: null, session: null, sessions: null },
      TERMS,
    );
    return revision;
  }

  /** What it has by now, or that it is gone. */
  private async look(tenantId: string, upstream: string): Promise<void> {
    await this.registry.refresh(tenantId, upstream).catch((error: unknown) => {
      // The next check on schedule finds it.
      this.log.warn({ event: 'proxy.connector_not_checked', upstream, reason: (error as Error).message });
    });
  }
}

function termsOf({ keyId, isPerSession }: ConnectorProcess): LeaseTerms {
  return { seconds: LEASE_SECONDS, keyId, isPerSession };
}
