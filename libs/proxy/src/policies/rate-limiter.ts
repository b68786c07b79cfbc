import { Injectable } from '@nestjs/common';
import { Batcher, Clock } from '@haldir/kernel';
import { isDataFailure, Transactions, type Tx } from '@haldir/database';
import {
  answerTo,
  countCall,
  type RateAnswer,
  type RateWindow,
  type RateRequest,
  WINDOW_MS,
  type WindowOf,
} from './rate-window.js';
import { type RateKey, RateWindowRepository, type StoredWindow } from './rate-window.repository.js';

const NO_LIMITS: RateAnswer = { full: new Map(), logOnly: new Map(), at: null };
const NOT_LIMITED: LockedRates = { answer: () => NO_LIMITS, count: () => undefined, save: () => undefined };
const EMPTY: RateWindow = { times: [], counts: [] };

/** Windows locked for the rest of a transaction. */
interface LockedRates {
  answer(request: RateRequest): RateAnswer;
  /** Counts the call in every window, but those of `log_only` policies that have no room. */
  count(request: RateRequest): void;
  /** Writes what was counted; does not wait for the answer. */
  save(): void;
}

/**
 * Lets no more calls of an agent through than a policy allows in any minute, however many processes are asked at once.
 * Calls that are not let through do not count.
 */
@Injectable()
export class RateLimiter {
  private readonly writer = new Batcher<RateRequest, RateAnswer>({
    maxBatch: 256,
    maxInFlight: 1,
    maxQueued: 8192,
    splitOn: isDataFailure,
    run: (requests) =>
      this.transactions.run(
        requests.map(({ tenantId }) => tenantId),
        (tx) => this.takeMany(tx, requests),
      ),
  });

  constructor(
    private readonly rates: RateWindowRepository,
    private readonly transactions: Transactions,
    private readonly clock: Clock,
  ) {}

  /** Counts the call unless a limit is reached. Requests that arrive together share a commit. */
  take(request: RateRequest): Promise<RateAnswer> {
    return isFree(request) ? Promise.resolve(NO_LIMITS) : this.writer.submit(request);
  }

  /** What a request would be answered now, for a call that is refused anyway. */
  async look(request: RateRequest): Promise<RateAnswer> {
    if (isFree(request)) return NO_LIMITS;
    const windows = byKey(await this.rates.look(keysOf([request])));
    const windowOf: WindowOf<RateWindow> = ({ policyId }) => windows.get(keyOf(policyId, request.agentId)) ?? EMPTY;
    return answerTo(windowOf, request, this.clock.now());
  }

  /** The windows of the requests, for a caller that has more to decide before the call counts. */
  async lock(tx: Tx, requests: readonly RateRequest[]): Promise<LockedRates> {
    const keys = keysOf(requests);
    if (keys.length === 0) return NOT_LIMITED;
    const rates = this.rates.in(tx);
    let windows = await rates.lock(keys);
    // A policy was removed since it was read, or an idle agent's window was forgotten between the two statements.
    if (windows.length < keys.length) windows = await rates.lock(keys);
    const now = this.clock.now();
    return this.decider(tx, byKey(windows), now);
  }

  /** Forgets agents that were not heard of for some minutes, some at a time. */
  async forgetIdle(): Promise<void> {
    await this.rates.forget(new Date(this.clock.now().getTime() - 10 * WINDOW_MS));
  }

  private async takeMany(tx: Tx, requests: RateRequest[]): Promise<RateAnswer[]> {
    const rates = await this.lock(tx, requests);
    const answers = requests.map((request) => {
      const answer = rates.answer(request);
      if (answer.full.size === 0) rates.count(request);
      return answer;
    });
    rates.save();
    return answers;
  }

  private decider(tx: Tx, windows: Map<string, StoredWindow>, at: Date): LockedRates {
    // A policy removed since it was read has no window any more, and limits nothing.
    const windowOf =
      (agentId: string): WindowOf<StoredWindow> =>
      ({ policyId }) =>
        windows.get(keyOf(policyId, agentId));
    const changed = new Set<StoredWindow>();
    return {
      answer: (request) => answerTo(windowOf(request.agentId), request, at),
      count: (request) => {
        for (const window of countCall(windowOf(request.agentId), request, at)) changed.add(window);
      },
      save: () => {
        if (changed.size > 0) this.rates.in(tx).save([...changed], at);
      },
    };
  }
}

function isFree({ limits, logOnly }: RateRequest): boolean {
  return limits.length === 0 && logOnly.length === 0;
}

function keysOf(requests: readonly RateRequest[]): RateKey[] {
  const keys = requests.flatMap(({ tenantId, agentId, limits, logOnly }) =>
    [...limits, ...logOnly].map(({ policyId }): [string, RateKey] => [
      keyOf(policyId, agentId),
      { tenantId, policyId, agentId },
    ]),
  );
  return [...new Map(keys).values()];
}

function byKey(windows: readonly StoredWindow[]): Map<string, StoredWindow> {
  return new Map(windows.map((window) => [keyOf(window.policyId, window.agentId), window]));
}

function keyOf(policyId: string, agentId: string): string {
  return `${policyId} ${agentId}`;
}
