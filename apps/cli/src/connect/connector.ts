import { type AnswerQueue } from './answer-queue.js';
import { BackOff, pause } from './back-off.js';
import { type ConnectorApi, LeaseLost, Unavailable } from './connector-api.js';
import { Exchange } from './exchange.js';
import { LeaseKeeper } from './lease-keeper.js';
import { type ClaimedExchange, type Lease } from './wire.js';

/** What the requests that come through Haldir are for. */
export interface LocalServer {
  /** Whether a session with it is nobody else's. */
  readonly perSession: boolean;
  /** Starts what has to be there before anybody asks. @throws Error when it does not come up */
  prepare(): Promise<void>;
  /** Answers the exchange, sooner or later. Never fails. */
  take(exchange: Exchange): void;
  /** Ends what it has started. */
  close(): Promise<void>;
  /** Ends it at once. */
  kill(): void;
}

const CLAIMS_AT_ONCE = 2;
const MAX_CLAIMED = 32;
/** Beyond so many, standing streams included, no more are asked for until one is over. */
const MAX_UNDER_WAY = 256;
/** Of exchanges that were cancelled before they came: claims may overtake each other. */
const MAX_CANCELLED = 1000;
const FIRST_WAIT_MS = 250;
const MAX_WAIT_MS = 10_000;

/** Carries requests from Haldir to a server of this machine: it dials out, and nothing listens here. */
export class Connector {
  private readonly underWay = new Map<string, Exchange>();
  private readonly cancelledBefore = new Set<string>();
  /** What claims that wait may bring. */
  private expected = 0;
  private roomMade: (() => void) | null = null;

  constructor(
    private readonly api: ConnectorApi,
    private readonly server: LocalServer,
    private readonly answers: AnswerQueue,
    private readonly say: (words: string) => void,
  ) {}

  /** Until the signal. @throws Refused when Haldir will have nothing of it */
  async run(signal: AbortSignal): Promise<void> {
    const failing = new AbortController();
    const ending = AbortSignal.any([signal, failing.signal]);
    const leases = new LeaseKeeper(this.api, this.server.perSession, this.say, ending);
    const work = async (): Promise<void> => {
      const lease = await leases.take();
      const loops = [
        leases.keep(lease),
        ...Array.from({ length: CLAIMS_AT_ONCE }, () => this.claim(lease, leases, ending)),
        this.answers.run(
          (parts) => this.api.answer(parts, ending),
          (id) => this.cancel(id),
          () => leases.take(),
          ending,
        ),
      ];
      try {
        await Promise.all(loops);
      } finally {
        failing.abort();
        await Promise.allSettled(loops);
      }
    };
    try {
      await work().catch((error: unknown) => {
        if (!signal.aborted) throw error;
      });
    } finally {
      await this.api.end();
    }
  }

  private async claim(lease: Lease, leases: LeaseKeeper, ending: AbortSignal): Promise<void> {
    const backOff = new BackOff(FIRST_WAIT_MS, MAX_WAIT_MS);
    while (!ending.aborted) {
      const max = Math.min(MAX_CLAIMED, MAX_UNDER_WAY - this.underWay.size - this.expected);
      if (max <= 0) {
        await this.room(ending);
        continue;
      }
      try {
        const { exchanges, cancelled } = await this.expecting(max, () =>
          this.api.claim(max, lease.waitSeconds, ending),
        );
        backOff.reset();
        leases.noteReached(true, '');
        for (const id of cancelled) this.cancel(id);
        for (const exchange of exchanges) this.take(exchange, lease);
      } catch (error) {
        if (ending.aborted) return;
        if (error instanceof LeaseLost) await leases.take();
        else if (error instanceof Unavailable) {
          leases.noteReached(error.isThere, error.message);
          await pause(error.retryAfterMs ?? backOff.next(), ending);
        } else throw error;
      }
    }
  }

  private async expecting<T>(max: number, claiming: () => Promise<T>): Promise<T> {
    this.expected += max;
    try {
      return await claiming();
    } finally {
      this.expected -= max;
      this.roomMade?.();
    }
  }

  private take(asked: ClaimedExchange, lease: Lease): void {
    if (this.cancelledBefore.delete(asked.id)) return;
    const exchange = new Exchange(asked, this.answers, lease.maxPartBytes, () => {
      this.underWay.delete(asked.id);
      this.roomMade?.();
    });
    this.underWay.set(asked.id, exchange);
    this.server.take(exchange);
  }

  private cancel(id: string): void {
    this.answers.drop(id);
    const exchange = this.underWay.get(id);
    if (exchange) {
      exchange.cancel();
      return;
    }
    this.cancelledBefore.add(id);
    const [oldest] = this.cancelledBefore;
    if (this.cancelledBefore.size > MAX_CANCELLED && oldest !== undefined) this.cancelledBefore.delete(oldest);
  }

  private async room(ending: AbortSignal): Promise<void> {
    let done = (): void => undefined;
    const made = new Promise<void>((resolve) => (done = resolve));
    // Both claims wait for the same.
    const before = this.roomMade;
    this.roomMade = () => {
      before?.();
      done();
    };
    ending.addEventListener('abort', done);
    await made;
    ending.removeEventListener('abort', done);
    this.roomMade = null;
  }
}
