import { Injectable } from '@nestjs/common';
import { Log } from '@haldir/runtime';
import { UpstreamRpcError, UpstreamUnreachable } from '../mcp-client/index.js';
import { UpstreamHealthService } from '../registry/upstream-health.service.js';
import { type CallEnding, UpstreamStatistics } from '../upstreams/upstream-statistics.js';
import { type CallTraits } from './call-kind.js';
import { type CallOutcome } from './call-outcome.js';

/** Send: the question to the upstream, and what it tells of the upstream. */
@Injectable()
export class SendStep {
  constructor(
    private readonly statistics: UpstreamStatistics,
    private readonly health: UpstreamHealthService,
    private readonly log: Log,
  ) {}

  /** @param endingOf how statistics count what was answered */
  async send<Result>(
    { upstream }: CallTraits,
    failureEvent: string,
    work: () => Promise<CallOutcome<Result>>,
    endingOf: (outcome: CallOutcome<Result>) => CallEnding,
  ): Promise<CallOutcome<Result>> {
    const startedAt = performance.now();
    const outcome = await this.outcomeOf(upstream.name, failureEvent, work);
    this.statistics.count(upstream.tenantId, upstream.name, performance.now() - startedAt, endingOf(outcome));
    await this.health.noteCall(upstream, outcome.kind === 'unreachable' ? outcome.error : null);
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
