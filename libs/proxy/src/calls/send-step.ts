import { Injectable } from '@nestjs/common';
import { Log } from '@haldir/runtime';
import { UpstreamRpcError, UpstreamUnreachable } from '../mcp-client/index.js';
import { type Admission, UpstreamCircuits } from '../registry/upstream-circuits.js';
import { UpstreamHealthService } from '../registry/upstream-health.service.js';
import { UpstreamLimits } from '../upstreams/upstream-limits.js';
import { UpstreamPlaces } from '../upstreams/upstream-places.js';
import { type CallEnding, UpstreamStatistics } from '../upstreams/upstream-statistics.js';
import { type CallTraits, type SendOptions } from './call-kind.js';
import { type CallOutcome } from './call-outcome.js';

/** What a call may take of its upstream, once it is its turn. */
export type Within = Pick<SendOptions, 'deadlineMs' | 'longestMs' | 'detectionMs' | 'maxBytes'>;

/** What a call brings with it when it is sent. */
export interface Sending {
  /** Of the operator's log, when the peer was wrong in a way nobody thought of. */
  failureEvent: string;
  signal: AbortSignal | undefined;
  /** What of its time the client has taken so far, in ms. */
  askedMs?: () => number;
}

/** Send: the question to the upstream, when it has a place for it, and what it tells of the upstream. */
@Injectable()
export class SendStep {
  constructor(
    private readonly statistics: UpstreamStatistics,
    private readonly health: UpstreamHealthService,
    private readonly limits: UpstreamLimits,
    private readonly places: UpstreamPlaces,
    private readonly circuits: UpstreamCircuits,
    private readonly log: Log,
  ) {}

  /**
   * A call waits for its place as long as it may take, and has all of its time from then on.
   *
   * @param endingOf how statistics count what was answered
   * @throws Unavailable when the database is not there; nothing has left then
   */
  async send<Result>(
    { upstream }: CallTraits,
    { failureEvent, signal, askedMs = () => 0 }: Sending,
    work: (within: Within) => Promise<CallOutcome<Result>>,
    endingOf: (outcome: CallOutcome<Result>) => CallEnding,
  ): Promise<CallOutcome<Result>> {
    const { timeoutMs: deadlineMs, longestMs, detectionMs, maxAnswerBytes: maxBytes } = this.limits.of(upstream);
    let leave: () => void = () => undefined;
    let admission: Admission;
    try {
      leave = await this.places.take(upstream, signal);
      admission = await this.circuits.admit(upstream);
    } catch (error) {
      leave();
      // Nothing left, and nothing is known of the upstream.
      if (error instanceof UpstreamUnreachable) return { kind: 'unreachable', error };
      throw error;
    }
    // The wait tells nothing of the upstream: with what it left of its time, a call would fail, and the circuit would open.
    const startedAt = performance.now();
    const within = { deadlineMs, longestMs, detectionMs, maxBytes };
    const found = await this.outcomeOf(upstream.name, failureEvent, () => work(within)).finally(leave);
    const tookMs = performance.now() - startedAt - askedMs();
    const outcome: CallOutcome<Result> =
      found.kind === 'unreachable' ? { ...found, error: this.limits.explain(found.error, upstream, tookMs) } : found;
    this.statistics.count(upstream.tenantId, upstream.name, tookMs, endingOf(outcome));
    const error = outcome.kind === 'unreachable' ? outcome.error : null;
    await this.health.noteCall(upstream, { admission, error, tookMs });
    return outcome;
  }

  private async outcomeOf<Result>(
    upstream: string,
    failureEvent: string,
    work: () => Promise<CallOutcome<Result>>,
  ): Promise<CallOutcome<Result>> {
    try {
      return await work();
    } catch (error) {
      if (error instanceof UpstreamRpcError) return { kind: 'refused', error };
      if (error instanceof UpstreamUnreachable) return { kind: 'unreachable', error };
      // A peer can be wrong in ways nobody thought of; the call may have reached it all the same.
      this.log.error({ event: failureEvent, upstream }, error);
      return { kind: 'unreachable', error: new UpstreamUnreachable('protocol', { cause: error }) };
    }
  }
}
