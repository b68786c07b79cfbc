import { Injectable } from '@nestjs/common';
import { UpstreamUnreachable } from '../mcp-client/index.js';
import { type UpstreamAddress } from './upstream-address.js';
import { UpstreamLimits } from './upstream-limits.js';

interface Waiting {
  go: () => void;
}

/** How long a call waits. */
interface Turn {
  timeoutMs: number;
  signal: AbortSignal | undefined;
  /** Said of one that waited in vain. */
  detail: string;
}

/** An upstream that is called. */
interface Busy {
  /** As it was registered when it was called last. */
  concurrency: number;
  underWay: number;
  /** In the order they came. */
  waiting: Set<Waiting>;
}

/** Calls of one upstream; whoever has so many waiting is not served sooner by more. */
const MAX_WAITING = 1_000;

/** How many calls each upstream is sent at once by this process; others wait for their turn, as long as a call of it may take. */
@Injectable()
export class UpstreamPlaces {
  private readonly busy = new Map<string, Busy>();

  constructor(private readonly limits: UpstreamLimits) {}

  /**
   * Takes a place, at once or in its turn; whoever has it gives it back by what is answered.
   *
   * @throws UpstreamUnreachable when there was none in time, too many wait, or the call is broken off; nothing has been sent
   */
  async take(upstream: UpstreamAddress, signal: AbortSignal | undefined): Promise<() => void> {
    const { concurrency, timeoutMs } = this.limits.of(upstream);
    const key = `${upstream.tenantId}/${upstream.name}`;
    let busy = this.busy.get(key);
    if (!busy) this.busy.set(key, (busy = { concurrency, underWay: 0, waiting: new Set() }));
    busy.concurrency = concurrency;
    letIn(busy);
    if (busy.underWay < concurrency) busy.underWay++;
    else {
      const setting = upstream.concurrency === concurrency ? 'its concurrency' : 'UPSTREAM_CONCURRENCY';
      const taken = `${concurrency} (${setting}), and`;
      if (busy.waiting.size >= MAX_WAITING)
        throw new UpstreamUnreachable('busy', {
          sent: false,
          detail: `${taken} ${MAX_WAITING} more wait for their turn`,
        });
      await inTurn(busy, { timeoutMs, signal, detail: `${taken} none of them ended within ${timeoutMs / 1000} s` });
    }
    return this.leaver(key, busy);
  }

  private leaver(key: string, busy: Busy): () => void {
    let isLeft = false;
    return () => {
      if (isLeft) return;
      isLeft = true;
      busy.underWay--;
      letIn(busy);
      if (busy.underWay === 0 && busy.waiting.size === 0 && this.busy.get(key) === busy) this.busy.delete(key);
    };
  }
}

/** Those whose turn it is, in order. */
function letIn(busy: Busy): void {
  for (const next of busy.waiting) {
    if (busy.underWay >= busy.concurrency) break;
    busy.underWay++;
    next.go();
  }
}

/** Resolves once its place is taken. */
function inTurn(busy: Busy, { timeoutMs, signal, detail }: Turn): Promise<void> {
  return new Promise((resolve, reject) => {
    const settle = (): void => {
      clearTimeout(timer);
      signal?.removeEventListener('abort', aborted);
      busy.waiting.delete(waiting);
    };
    const waiting: Waiting = {
      go: () => {
        settle();
        resolve();
      },
    };
    const fail = (error: UpstreamUnreachable): void => {
      settle();
      reject(error);
    };
    const aborted = (): void => fail(new UpstreamUnreachable('aborted', { sent: false }));
    const timer = setTimeout(() => fail(new UpstreamUnreachable('busy', { sent: false, detail })), timeoutMs);
    signal?.addEventListener('abort', aborted, { once: true });
    busy.waiting.add(waiting);
    if (signal?.aborted) aborted();
  });
}
