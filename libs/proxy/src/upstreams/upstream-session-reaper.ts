import { Injectable } from '@nestjs/common';
import { type Tx } from '@haldir/database';
import { Clock, DIALOGUE_MS } from '@haldir/kernel';
import { HaldirConfig, Log } from '@haldir/runtime';
import { UpstreamUnreachable } from '../mcp-client/index.js';
import { UpstreamConnections } from './upstream-connections.js';
import { type OverSession, UpstreamSessionRepository } from './upstream-session.repository.js';
import { UpstreamSessions } from './upstream-sessions.js';

/** Longer than an agent is likely to think; an upstream's session costs memory there. */
const IDLE_MS = 60 * 60_000;
const LEASE_MS = 30_000;
const BATCH = 50;
/** Batches in one run; what is left waits for the next. */
const MAX_BATCHES = 20;
/** An upstream that is not there gets no more questions about a session that is over. */
const MAX_TRIES = 5;

/** Ends sessions with upstreams whose session of Haldir is over, and those that nobody uses. Several processes may do it at once. */
@Injectable()
export class UpstreamSessionReaper {
  constructor(
    private readonly kept: UpstreamSessionRepository,
    private readonly sessions: UpstreamSessions,
    private readonly connections: UpstreamConnections,
    private readonly config: HaldirConfig,
    private readonly log: Log,
    private readonly clock: Clock,
  ) {}

  async endOver(): Promise<void> {
    for (let i = 0; i < MAX_BATCHES; i++) {
      const now = this.clock.now();
      const longestMs = this.config.upstreams.longestMs + DIALOGUE_MS;
      const [leaseUntil, idleSince, replacedBy] = [LEASE_MS, -IDLE_MS, -longestMs].map(
        (ms) => new Date(now.getTime() + ms),
      ) as [Date, Date, Date];
      const over = await this.kept.claimOver(now, leaseUntil, idleSince, replacedBy, BATCH);
      await Promise.all(over.map((session) => this.end(session)));
      if (over.length < BATCH) return;
    }
  }

  /**
   * Ends the sessions with an upstream that is to be removed, or registered at another address, once that is durable: nobody knows the
   * way to it then.
   *
   * @param newUrl null where it is removed
   */
  async endWith(tx: Tx, tenantId: string, upstream: string, newUrl: string | null): Promise<void> {
    const over = await this.kept.in(tx).takeAll(tenantId, upstream, newUrl);
    if (over.length > 0) tx.onCommit(() => void this.endAll(over, upstream));
  }

  private async endAll(over: readonly OverSession[], upstream: string): Promise<void> {
    try {
      for (let i = 0; i < over.length; i += BATCH)
        await Promise.all(over.slice(i, i + BATCH).map((session) => this.endAtUpstream(session, 'takingLeave')));
    } catch (error) {
      this.log.warn({ event: 'proxy.session_not_ended', upstream, reason: (error as Error).message });
    }
  }

  private async end(over: OverSession): Promise<void> {
    const { epoch, isOver, tries } = over;
    try {
      // What is not to be had here is tried as often as what does not answer; until then it is claimed again.
      const isEnded = await this.endAtUpstream(over, 'use').catch((error: unknown) => this.warn(over, error));
      if (isEnded || tries >= MAX_TRIES) await (isOver ? this.kept.remove(over, epoch) : this.kept.lose(over, epoch));
    } catch (error) {
      this.warn(over, error);
    }
  }

  private warn({ upstream }: OverSession, error: unknown): false {
    this.log.warn({ event: 'proxy.session_not_ended', upstream, reason: (error as Error).message });
    return false;
  }

  /** Whether the upstream was told, or there is nobody to tell. */
  private async endAtUpstream({ address, ...over }: OverSession, through: 'use' | 'takingLeave'): Promise<boolean> {
    // The name may be that of another upstream by now, or of none.
    const session = address && (await this.sessions.open(over, over, address.url));
    if (!session) return true;
    try {
      await this.connections[through](address, (client) => client.endSession(session));
      return true;
    } catch (error) {
      if (!(error instanceof UpstreamUnreachable)) throw error;
      return false;
    }
  }
}
