import { Injectable } from '@nestjs/common';
import { Clock, InvalidInput, newId } from '@haldir/kernel';
import { Egress, EgressRefused } from '@haldir/egress';
import { Log } from '@haldir/runtime';
import { TOLD_TOO_MUCH } from '@haldir/vault';
import { ResourceCatalogue } from '../catalogue/resource-catalogue.js';
import { type FoundResources } from '../catalogue/resource-screening.js';
import { type UpstreamAddress } from '../upstreams/upstream-address.js';
import { UpstreamConnections } from '../upstreams/upstream-connections.js';
import { literalsOf, type NewCredentials } from '../upstreams/upstream-credentials.js';
import { type OwnLimits, UpstreamLimits } from '../upstreams/upstream-limits.js';
import { UpstreamMasks } from '../upstreams/upstream-masks.js';
import { UpstreamSessions } from '../upstreams/upstream-sessions.js';
import { type UpstreamState } from '../upstreams/upstream.repository.js';
import {
  type SessionsOf,
  type ToolList,
  type UnreachableReason,
  UpstreamRpcError,
  type UpstreamSession,
  UpstreamUnreachable,
} from '../mcp-client/index.js';

/** What an upstream answered when it was asked for its tools. */
export type Discovered = { askedAt: Date } & (
  | { healthy: true; list: ToolList }
  | {
      healthy: false;
      reason: UnreachableReason;
      error: string;
      status: number | null;
      /** For whoever registered it: the address to register instead, where that is known. */
      betterUrl: string | null;
    }
);

/** A registration that is not written down yet. */
export interface Registration {
  address: UpstreamAddress;
  discovered: Discovered;
  /** What it has besides tools; null when that is not known. */
  resources: FoundResources | null;
  /** The session that it was examined in, which goes on; null when there is none. */
  session: UpstreamSession | null;
  /** Whose sessions it begins; null when that is not known. */
  sessions: SessionsOf | null;
}

/** Often enough that calls seldom have to ask for themselves (`tools_max_age`, 20 s unless registered otherwise). */
const HEALTHY_EVERY_MS = 15_000;
/** After a failure, doubled with each further one. */
const RETRY_FIRST_MS = 5_000;
const RETRY_LAST_MS = 30_000;

/** Asks upstreams for what they have. Whatever goes wrong with that is a finding about the upstream, not an error. */
@Injectable()
export class Discovery {
  constructor(
    private readonly egress: Egress,
    private readonly connections: UpstreamConnections,
    private readonly masks: UpstreamMasks,
    private readonly resources: ResourceCatalogue,
    private readonly sessions: UpstreamSessions,
    private readonly limits: UpstreamLimits,
    private readonly log: Log,
    private readonly clock: Clock,
  ) {}

  /**
   * Asks an upstream for its tools, before it is registered.
   *
   * @throws EgressRefused, InvalidInput when an address is not one that may be connected to, or the upstream can be told no more
   */
  async examine(
    { tenantId, name, url }: { tenantId: string; name: string; url: string },
    credentials: NewCredentials,
    own: OwnLimits,
  ): Promise<Registration> {
    this.limits.vet(own);
    await this.egress.vet(url);
    const { headers, auth } = credentials;
    if (auth) await this.vetTokenUrl(auth.tokenUrl);
    const kept = auth === null && Object.keys(headers).length === 0 ? null : { fresh: credentials };
    const address = { tenantId, name, url, revision: newId('upr'), headers: kept, ...own };
    if (!(await this.masks.note(address, literalsOf(credentials))))
      throw new InvalidInput(
        `${Object.keys(headers).length > 0 ? 'headers' : 'auth.client_secret'}: the upstream ${JSON.stringify(name)} ${TOLD_TOO_MUCH}`,
      );
    const { discoveryMs: deadlineMs, detectionMs } = this.limits.of(own);
    const options = { deadlineMs, detectionMs };
    const more: Omit<Registration, 'address' | 'discovered'> = { resources: null, session: null, sessions: null };
    // A server with one session for everybody begins no other to be registered again.
    const current = await this.sessions.sharedAt(address);
    const discovered = await this.understand(name, deadlineMs, () =>
      this.connections.apart(address, async (client) => {
        if (current) client.resumeSession(current);
        try {
          const list = await client.listTools(options);
          more.resources = await this.resources.ask(address, client);
          more.sessions = await client.whoseSessions(options).catch(() => null);
          return list;
        } finally {
          // The end of their only session would be the end of some servers.
          more.session = client.session;
        }
      }),
    );
    return { address, discovered, ...more };
  }

  /** Ends the session of a registration that did not come about; never fails. */
  async giveUp({ address, session }: Registration): Promise<void> {
    // One that was there before goes on.
    if (!session || session.epoch !== undefined) return;
    await this.connections
      .apart(address, (client) => client.endSession(session))
      .catch((error: unknown) =>
        this.log.warn({ event: 'proxy.session_not_ended', upstream: address.name, reason: (error as Error).message }),
      );
  }

  /**
   * Asks an upstream for its tools, and whose sessions it begins unless that is `known`.
   *
   * @param atMostMs no longer than any call of the upstream may take, whatever this says; left out, as long as it has where no call waits
   */
  ask(address: UpstreamAddress, known: SessionsOf | null, atMostMs?: number): Promise<Discovered> {
    const { timeoutMs, discoveryMs, detectionMs } = this.limits.of(address);
    const deadlineMs = Math.min(atMostMs ?? discoveryMs, timeoutMs);
    const options = { deadlineMs, detectionMs };
    return this.understand(address.name, deadlineMs, () =>
      this.connections.use(address, async (client) => {
        const tools = await client.listTools(options);
        if (known === null || (known === 'none') !== (client.session === null))
          await client.whoseSessions(options).catch(() => null);
        return tools;
      }),
    );
  }

  /** What is written down of an upstream that answered so now, after `failuresBefore` failures in a row. */
  stateAfter(discovered: Discovered, failuresBefore: number): UpstreamState {
    const checkedAt = this.clock.now();
    const failures = discovered.healthy ? 0 : failuresBefore + 1;
    const pauseMs = discovered.healthy
      ? HEALTHY_EVERY_MS
      : Math.min(RETRY_FIRST_MS * 2 ** (failures - 1), RETRY_LAST_MS);
    return {
      healthy: discovered.healthy,
      error: discovered.healthy ? null : discovered.error,
      checkedAt,
      nextCheckAt: new Date(checkedAt.getTime() + pauseMs),
      failures,
      confirmedAt: discovered.healthy ? discovered.askedAt : null,
    };
  }

  private async vetTokenUrl(url: string): Promise<void> {
    await this.egress.vet(url).catch((error: unknown) => {
      throw error instanceof EgressRefused ? new InvalidInput(`auth.token_${error.message}`) : error;
    });
  }

  private async understand(name: string, deadlineMs: number, question: () => Promise<ToolList>): Promise<Discovered> {
    const askedAt = this.clock.now();
    const failed = (
      reason: UnreachableReason,
      error: string,
      status: number | null,
      betterUrl: string | null = null,
    ): Discovered => ({ askedAt, healthy: false, reason, error, status, betterUrl });
    try {
      return { askedAt, healthy: true, list: await question() };
    } catch (error) {
      if (error instanceof UpstreamUnreachable) {
        const { reason, message, status, betterUrl } = this.limits.explainDiscovery(error, deadlineMs);
        return failed(reason, message, status, betterUrl);
      }
      if (error instanceof UpstreamRpcError)
        return failed('protocol', `The upstream answered with error ${error.rpcCode}`, error.status);
      // A peer can be wrong in ways nobody thought of; that is its trouble, and ours to read about.
      this.log.error({ event: 'proxy.discovery_failed', upstream: name }, error);
      return failed('protocol', 'The upstream could not be understood', null);
    }
  }
}
