import { Injectable } from '@nestjs/common';
import { UpstreamUnreachable } from '../mcp-client/index.js';
import { type UpstreamAddress } from './upstream-address.js';
import { UpstreamLimits } from './upstream-limits.js';

interface Waiting {
  /** Of the call that waits, as its upstream was registered then. */
  concurrency: number;
  go: () => void;
}

/** What a call waits for, and how long. */
interface Turn {
  concurrency: number;
  timeoutMs: number;
  signal: AbortSignal | undefined;
  /** Said of one that waited in vain. */
  detail: string;
}

/** An upstream that is called. */
interface Busy {
  underWay: number;
  /** In the order they came. */
  waiting: Set<Waiting>;
}

/** How many calls each upstream is sent at once by this process; others wait for their turn, as long as a call of it may take. */
@Injectable()
export class UpstreamPlaces {
  private readonly busy = new Map<string, Busy>();

  constructor(private readonly limits: UpstreamLimits) {}

  /**
   * Takes a place, at once or in its turn; whoever has it gives it back by what is answered.
   *
   * @throws UpstreamUnreachable when there was none in time, or the call is broken off; nothing has been sent
   */
  async take(upstream: UpstreamAddress, signal: AbortSignal | undefined): Promise<() => void> {
    const { concurrency, timeoutMs } = this.limits.of(upstream);
    const key = `${upstream.tenantId}/${upstream.name}`;
    let busy = this.busy.get(key);
    if (!busy) this.busy.set(key, (busy = { underWay: 0, waiting: new Set() }));
    if (busy.underWay < concurrency && busy.waiting.size === 0) busy.underWay++;
    else {
      const setting = upstream.concurrency === null ? 'UPSTREAM_CONCURRENCY' : 'its concurrency';
      const detail = `${concurrency} (${setting}), and none of them ended within ${timeoutMs / 1000} s`;
      await inTurn(busy, { concurrency, timeoutMs, signal, detail });
    }
    return this.leaver(key, busy);
  }

  private leaver(key: string, busy: Busy): () => void {
    let isLeft = false;
    return () => {
      if (isLeft) return;
      isLeft = true;
      busy.underWay--;
      for (const next of busy.waiting) {
        if (busy.underWay >= next.concurrency) break;
        busy.waiting.delete(next);
        busy.underWay++;
        next.go();
      }
      if (busy.underWay === 0 && busy.waiting.size === 0 && this.busy.get(key) === busy) this.busy.delete(key);
    };
  }
}

/** Resolves once its place is taken. */
function inTurn(busy: Busy, { concurrency, timeoutMs, signal, detail }: Turn): Promise<void> {
  return new Promise((resolve, reject) => {
    const settle = (): void => {
      clearTimeout(timer);
      signal?.removeEventListener('abort', aborted);
      busy.waiting.delete(waiting);
    };
    const waiting: Waiting = {
      concurrency,
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
