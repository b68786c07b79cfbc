import { randomUUID } from 'node:crypto';
import { setTimeout as pause } from 'node:timers/promises';
import { BareMcp, Client, type Reply } from '@haldir/test-support';
import { type Random } from './random.js';

const TRY_MS = 10_000;
const INSIST_MS = 60_000;

/** An answer that leaves nothing open: the request took effect once, or was refused. */
export type Settled = Reply<Record<string, unknown>>;

/** A client as clients should be: it asks any process, and asks again under the same key until it knows. */
export class Caller {
  /** Requests that came to nothing known, and were asked again. */
  retries = 0;
  /** Statuses that Haldir must never answer, with the request. */
  readonly wrong: string[] = [];

  constructor(
    private readonly urls: readonly string[],
    readonly key: string,
  ) {}

  /** One try; null when it is not known whether it took effect. */
  async once(random: Random, method: string, path: string, body?: unknown, key?: string): Promise<Settled | null> {
    const client = new Client(random.pick(this.urls), this.key);
    const headers: Record<string, string> = key === undefined ? {} : { 'idempotency-key': key };
    let reply: Settled;
    try {
      reply = await client.send(method, path, body, headers, AbortSignal.timeout(TRY_MS));
    } catch {
      return null;
    }
    // A call that may have been made is not made again, and its key says so.
    if (reply.body['code'] === 'outcome_unknown') return reply;
    if (reply.status === 500 || reply.status === 502)
      this.wrong.push(`${method} ${path} answered ${reply.status}: ${JSON.stringify(reply.body)}`);
    return reply.status >= 500 || reply.status === 429 || reply.body['code'] === 'idempotency_in_progress'
      ? null
      : reply;
  }

  /** An agent with this key, at any process. */
  mcp(random: Random, session: string): BareMcp {
    const party = { url: random.pick(this.urls), key: this.key, session };
    return new BareMcp(party, random.pick(['stateless', 'handshake'] as const));
  }

  /** Asks until it knows, under one Idempotency-Key; null when a minute was not enough. */
  async insist(
    random: Random,
    method: string,
    path: string,
    body?: unknown,
    key: string = randomUUID(),
  ): Promise<Settled | null> {
    const deadline = performance.now() + INSIST_MS;
    for (;;) {
      const reply = await this.once(random, method, path, body, key);
      if (reply) return reply;
      this.retries++;
      if (performance.now() > deadline) return null;
      await pause(random.between(20, 300));
    }
  }
}
