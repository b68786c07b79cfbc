import { EgressFailed, type EgressRequest, type EgressStream, Exchange, streamOf } from '@haldir/egress';
import { type CarriedPart } from './exchange-seal.js';

/** An upstream that connectors stand for. */
export interface TunnelPlace {
  tenantId: string;
  upstream: string;
  /** As notices name it. */
  key: string;
}

interface Hooks {
  /** Nobody waits for it any more. */
  giveUp(reason: 'timeout' | 'aborted'): void;
  /** Its outcome is known. */
  settled(): void;
  /** It has longer. */
  extended(): void;
}

/** Parts may overtake each other by so many, and by so many bytes unless the answer may be longer. */
const [MAX_AHEAD, MAX_AHEAD_BYTES] = [256, 2 * 1024 * 1024];

/** Of an answer that is put together from parts, what makes no sense. */
const NOT_CARRIED = ['content-length', 'content-encoding', 'transfer-encoding', 'connection', 'keep-alive'];

const NO_CONNECTION = {
  aborted: false,
  paused: false,
  reason: null,
  rawHeaders: null,
  rawTrailers: null,
  abort: () => undefined,
  pause: () => undefined,
  resume: () => undefined,
} as unknown as Parameters<Exchange['onRequestStart']>[0];

/** One request that leaves through a connector, and its answer as it arrives. */
export class UnderWay {
  /** Until when it is waited for, and when its row ends, by `performance.now()`. */
  deadlineAt: number;
  endsAt: number;
  /** Whether the end of its row is being put off. */
  isPuttingOff = false;
  /** Whether it waits for its connector, or has it. */
  isAdmitted = false;
  /** Whether a look has not found it. */
  isMissing = false;
  /** Whether its parts are being read, and whether there may be more by now. */
  reading: { again: boolean } | null = null;
  /** Looks, one a second, that have seen it given away and not known to be delivered. */
  undelivered = 0;
  /** How it ended, for who has to put its rows away: `answered` leaves some, `left` has a connector to be told. */
  end: 'answered' | 'left' | null = null;
  /** For the metrics; null for one that was counted elsewhere. */
  outcome: string | null = null;
  /** What it failed with, once nobody waits for it; never rejects. */
  readonly givenUp: Promise<EgressFailed>;

  private readonly exchange: Exchange;
  private timer: NodeJS.Timeout;
  private nextSeq = 0;
  /** Parts that came before others that they follow. */
  private readonly early = new Map<number, CarriedPart>();
  private earlyBytes = 0;
  private isEnding = false;
  private isOver = false;
  private tellGivenUp: (error: EgressFailed) => void = () => undefined;
  private readonly onAbort = (): void => this.hooks.giveUp('aborted');

  constructor(
    readonly id: string,
    readonly place: TunnelPlace,
    private readonly request: EgressRequest,
    ms: number,
    private readonly hooks: Hooks,
  ) {
    const { maxResponseBytes, onOverflow = 'fail', endless = false, signal } = request;
    this.deadlineAt = performance.now() + ms;
    this.endsAt = this.deadlineAt;
    this.givenUp = new Promise((resolve) => {
      this.tellGivenUp = resolve;
    });
    this.exchange = new Exchange(
      { maxResponseBytes, onOverflow, decode: false, endless },
      () => this.settle(),
      () => undefined,
    );
    this.exchange.onRequestStart(NO_CONNECTION);
    this.timer = setTimeout(() => hooks.giveUp('timeout'), ms);
    signal?.addEventListener('abort', this.onAbort, { once: true });
  }

  /** Whether something may still come of it. */
  get isWaiting(): boolean {
    return !this.isOver && !this.isEnding;
  }

  /** Whether something has come of its answer. */
  get hasBegun(): boolean {
    return this.nextSeq > 0 || this.early.size > 0;
  }

  /** From then on nothing that comes counts; false when it has ended, or is about to. */
  beginEnd(): boolean {
    if (!this.isWaiting) return false;
    this.isEnding = true;
    return true;
  }

  /** Ends it with a failure, which it answers. */
  fail(error: EgressFailed): EgressFailed {
    if (this.isOver) return error;
    this.isEnding = true;
    this.outcome ??= error.reason;
    this.tellGivenUp(error);
    this.exchange.onResponseError(NO_CONNECTION, error);
    return error;
  }

  /** Ends it because it has not left; whoever asked is told another way. */
  leave(): void {
    this.isEnding = true;
    this.settle();
  }

  /** Ends it with a status and nothing else. */
  answer(status: number): this {
    this.exchange.onResponseStart(NO_CONNECTION, status, {});
    this.exchange.onResponseEnd();
    return this;
  }

  /** Parts count in their order, each once; a connector that leaves one out has broken the answer. */
  take(seq: number, part: CarriedPart): void {
    if (!this.isWaiting || seq < this.nextSeq || this.early.has(seq)) return;
    if (seq > this.nextSeq) return this.keep(seq, part);
    this.hear(part, this.nextSeq++);
    for (let next = this.early.get(this.nextSeq); next && this.isWaiting; next = this.early.get(this.nextSeq)) {
      this.early.delete(this.nextSeq);
      this.earlyBytes -= Buffer.byteLength(next.data);
      this.hear(next, this.nextSeq++);
    }
  }

  /** Status and headers, once they are there. @throws EgressFailed */
  async stream(): Promise<EgressStream> {
    await this.exchange.head();
    return streamOf(this.exchange, (ms) => this.extend(ms));
  }

  /** The whole answer. @throws EgressFailed */
  async whole(): Promise<Pick<Exchange, 'status' | 'headers' | 'truncated'> & { body: Buffer }> {
    const body = await this.exchange.rest();
    const { status, headers, truncated } = this.exchange;
    return { status, headers, truncated, body };
  }

  private keep(seq: number, part: CarriedPart): void {
    this.early.set(seq, part);
    this.earlyBytes += Buffer.byteLength(part.data);
    const most = Math.max(this.request.maxResponseBytes, MAX_AHEAD_BYTES);
    if (seq - this.nextSeq < MAX_AHEAD && this.earlyBytes <= most) return;
    this.early.clear();
    // The connector is told that nobody waits for it.
    this.end = 'left';
    this.fail(new EgressFailed('protocol', { sent: true }));
  }

  private hear({ status, headers, data, last, failed }: CarriedPart, seq: number): void {
    const isEnd = last || failed !== undefined;
    if (seq === 0 && status !== undefined) {
      const kept = Object.entries(headers ?? {}).map(([name, value]) => [name.toLowerCase(), value] as const);
      const carried = Object.fromEntries(kept.filter(([name]) => !NOT_CARRIED.includes(name)));
      this.exchange.onResponseStart(NO_CONNECTION, status, carried);
    }
    if (data !== '') this.exchange.onResponseData(NO_CONNECTION, Buffer.from(data));
    if (!isEnd || this.isOver) return;
    // Of one part alone nothing is left.
    this.end = seq === 0 && last ? null : 'answered';
    this.isEnding = true;
    this.outcome = failed ?? 'answered';
    if (failed !== undefined) this.exchange.onResponseError(NO_CONNECTION, new EgressFailed(failed, { sent: true }));
    else if (this.exchange.status === 0)
      this.exchange.onResponseError(NO_CONNECTION, new EgressFailed('protocol', { sent: true }));
    else this.exchange.onResponseEnd();
  }

  private extend(ms: number): void {
    if (!this.isWaiting) return;
    clearTimeout(this.timer);
    this.timer = setTimeout(() => this.hooks.giveUp('timeout'), ms);
    this.deadlineAt = performance.now() + ms;
    this.hooks.extended();
  }

  private settle(): void {
    if (this.isOver) return;
    this.isOver = true;
    clearTimeout(this.timer);
    this.request.signal?.removeEventListener('abort', this.onAbort);
    if (!this.isEnding) {
      this.end = 'left';
      this.outcome = 'left';
    }
    this.hooks.settled();
  }
}
