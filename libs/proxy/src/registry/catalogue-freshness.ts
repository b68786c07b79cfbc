import { Injectable } from '@nestjs/common';
import { Clock, withDeadline } from '@haldir/kernel';
import { type ToolTarget } from '../catalogue/tool-target.repository.js';
import { UpstreamHealthService } from './upstream-health.service.js';
import { UpstreamUnreachable } from '../mcp-client/index.js';

/** A question to an upstream for its tools. */
interface Round {
  startedAt: number;
  answer: Promise<UpstreamUnreachable | null>;
}

interface Rounds {
  now: Round;
  /** Begins when the one under way is over; null while nobody waits for that. */
  next: Promise<UpstreamUnreachable | null> | null;
}

/** For how long a call waits, and what breaks it off; times as `performance.now()` has them. */
export interface CallDeadline {
  arrivedAt: number;
  deadlineMs: number;
  signal?: AbortSignal | undefined;
}

/**
 * Sees to it that a call knows tools as their upstream had them no longer ago than its registration allows. Calls that need to
 * know at the same time share a question, of which there is one at a time for each upstream in a process.
 */
@Injectable()
export class CatalogueFreshness {
  private readonly rounds = new Map<string, Rounds>();

  constructor(
    private readonly health: UpstreamHealthService,
    private readonly clock: Clock,
  ) {}

  /** Whether the upstream has confirmed its tools recently enough, by any process's question. */
  isFresh({ confirmedAt, toolsMaxAgeSeconds }: ToolTarget): boolean {
    return confirmedAt !== null && this.clock.now().getTime() - confirmedAt.getTime() < toolsMaxAgeSeconds * 1000;
  }

  /** Asks the upstream, or joins a question that is young enough; null when it answered. */
  async confirm(
    target: ToolTarget,
    { arrivedAt, deadlineMs, signal }: CallDeadline,
  ): Promise<UpstreamUnreachable | null> {
    const answer = this.ask(target, arrivedAt - target.toolsMaxAgeSeconds * 1000);
    const ms = arrivedAt + deadlineMs - performance.now();
    return withDeadline(answer, { ms, signal, error: (why) => new UpstreamUnreachable(why, { sent: false }) }).catch(
      (error: unknown) => {
        if (error instanceof UpstreamUnreachable) return error;
        throw error;
      },
    );
  }

  /** @param since the question must not have begun before */
  private ask({ tenantId, name }: ToolTarget, since: number): Promise<UpstreamUnreachable | null> {
    const key = `${tenantId}/${name}`;
    const rounds = this.rounds.get(key);
    if (!rounds) return this.begin(key, tenantId, name);
    if (rounds.now.startedAt >= since) return rounds.now.answer;
    rounds.next ??= rounds.now.answer.then(
      () => this.begin(key, tenantId, name),
      () => this.begin(key, tenantId, name),
    );
    return rounds.next;
  }

  private begin(key: string, tenantId: string, name: string): Promise<UpstreamUnreachable | null> {
    const answer = this.health.confirm(tenantId, name);
    const rounds: Rounds = { now: { startedAt: performance.now(), answer }, next: null };
    this.rounds.set(key, rounds);
    const forget = (): void => {
      if (this.rounds.get(key) === rounds && rounds.next === null) this.rounds.delete(key);
    };
    answer.then(forget, forget);
    return answer;
  }
}
