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

const NO_LIMITS: RateAnswer = { full: new Map(), logOnly: new Map(), at: null };
const NOT_LIMITED: LockedRates = { answer: () => NO_LIMITS, count: () => undefined, save: () => undefined };
const EMPTY: RateWindow = { times: [], counts: [] };

const ensure = {
  name: 'proxy_rate.ensure.v1',
  text: `INSERT INTO proxy_rate (tenant_id, policy_id, agent_id, times, counts, touched_at)
           SELECT w.tenant_id, w.policy_id, w.agent_id, '{}', '{}', now()
             FROM unnest($1::text[], $2::text[], $3::text[]) AS w(tenant_id, policy_id, agent_id)
             JOIN proxy_policy p ON p.tenant_id = w.tenant_id AND p.id = w.policy_id
            WHERE NOT EXISTS (SELECT FROM proxy_rate r
                               WHERE r.tenant_id = w.tenant_id AND r.policy_id = w.policy_id AND r.agent_id = w.agent_id)
            ORDER BY 1, 2, 3 FOR KEY SHARE OF p
           ON CONFLICT DO NOTHING`,
};
const lock = {
  name: 'proxy_rate.lock.v1',
  text: `SELECT tenant_id, policy_id, agent_id, times, counts FROM proxy_rate
          WHERE (tenant_id, policy_id, agent_id) IN (SELECT * FROM unnest($1::text[], $2::text[], $3::text[]))
          ORDER BY 1, 2, 3 FOR UPDATE`,
};
const save = {
  name: 'proxy_rate.save.v1',
  text: `UPDATE proxy_rate r SET times = w.times::bigint[], counts = w.counts::integer[], touched_at = $6
           FROM unnest($1::text[], $2::text[], $3::text[], $4::text[], $5::text[]) AS w(tenant_id, policy_id, agent_id, times, counts)
          WHERE r.tenant_id = w.tenant_id AND r.policy_id = w.policy_id AND r.agent_id = w.agent_id`,
};
const look = {
  name: 'proxy_rate.look.v1',
  text: `SELECT tenant_id, policy_id, agent_id, times, counts FROM proxy_rate
          WHERE tenant_id = ANY ($1::text[]) AND (tenant_id, policy_id, agent_id) IN (SELECT * FROM unnest($1::text[], $2::text[], $3::text[]))`,
};
const purge = {
  name: 'proxy_rate.purge.v1',
  text: `DELETE FROM proxy_rate WHERE (tenant_id, policy_id, agent_id) IN (
           SELECT tenant_id, policy_id, agent_id FROM proxy_rate WHERE touched_at < $1 LIMIT 1000 FOR UPDATE SKIP LOCKED)`,
};

interface RateRow {
  tenant_id: string;
  policy_id: string;
  agent_id: string;
  times: string[];
  counts: number[];
}

interface Window extends Omit<RateRow, 'times'>, RateWindow {
  changed: boolean;
}

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
    const rows = await this.transactions.query<RateRow>(look, columnsOf(keysOf([request])));
    const windows = windowsOf(rows);
    const windowOf: WindowOf<RateWindow> = ({ policyId }) => windows.get(keyOf(policyId, request.agentId)) ?? EMPTY;
    return answerTo(windowOf, request, this.clock.now());
  }

  /** The windows of the requests, for a caller that has more to decide before the call counts. */
  async lock(tx: Tx, requests: readonly RateRequest[]): Promise<LockedRates> {
    const keys = keysOf(requests);
    if (keys.length === 0) return NOT_LIMITED;
    const columns = columnsOf(keys);
    tx.send(ensure, columns);
    let rows = await tx.query<RateRow>(lock, columns);
    if (rows.length < keys.length) {
      // A policy was removed since it was read, or an idle agent's window was forgotten between the two statements.
      tx.send(ensure, columns);
      rows = await tx.query<RateRow>(lock, columns);
    }
    const now = this.clock.now();
    return this.decider(tx, windowsOf(rows), now);
  }

  /** Forgets agents that were not heard of for some minutes, some at a time. */
  async forgetIdle(): Promise<void> {
    await this.transactions.queryAll(purge, [new Date(this.clock.now().getTime() - 10 * WINDOW_MS)]);
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

  private decider(tx: Tx, windows: Map<string, Window>, at: Date): LockedRates {
    // A policy removed since it was read has no window any more, and limits nothing.
    const windowOf =
      (agentId: string): WindowOf<Window> =>
      ({ policyId }) =>
        windows.get(keyOf(policyId, agentId));
    return {
      answer: (request) => answerTo(windowOf(request.agentId), request, at),
      count: (request) => {
        for (const window of countCall(windowOf(request.agentId), request, at)) window.changed = true;
      },
      save: () => {
        const changed = [...windows.values()].filter((window) => window.changed);
        if (changed.length === 0) return;
        tx.send(save, [
          changed.map((window) => window.tenant_id),
          changed.map((window) => window.policy_id),
          changed.map((window) => window.agent_id),
          changed.map(({ times }) => `{${times.join(',')}}`),
          changed.map(({ counts }) => `{${counts.join(',')}}`),
          at,
        ]);
      },
    };
  }
}

function isFree({ limits, logOnly }: RateRequest): boolean {
  return limits.length === 0 && logOnly.length === 0;
}

type RateKey = [tenantId: string, policyId: string, agentId: string];

function keysOf(requests: readonly RateRequest[]): RateKey[] {
  const keys = requests.flatMap(({ tenantId, agentId, limits, logOnly }) =>
    [...limits, ...logOnly].map(({ policyId }): [string, RateKey] => [
      keyOf(policyId, agentId),
      [tenantId, policyId, agentId],
    ]),
  );
  return [...new Map(keys).values()];
}

function columnsOf(keys: readonly RateKey[]): [string[], string[], string[]] {
  return [keys.map(([tenant]) => tenant), keys.map(([, policy]) => policy), keys.map(([, , agent]) => agent)];
}

function windowsOf(rows: readonly RateRow[]): Map<string, Window> {
  return new Map(
    rows.map((row) => [keyOf(row.policy_id, row.agent_id), { ...row, times: row.times.map(Number), changed: false }]),
  );
}

function keyOf(policyId: string, agentId: string): string {
  return `${policyId} ${agentId}`;
}
