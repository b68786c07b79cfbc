import { BackOff, pause } from './back-off.js';
import { LeaseLost, Refused, Unavailable } from './connector-api.js';
import { type Answers } from './exchange.js';
import { type AnswerPart, MAX_BATCH_BYTES, MAX_BATCH_PARTS } from './wire.js';

/** What waits to be sent before whoever writes has to wait. */
const FULL_BYTES = 8 * 1024 * 1024;
const FIRST_WAIT_MS = 100;
const MAX_WAIT_MS = 10_000;

interface Queued {
  id: string;
  seq: number;
  json: string;
  bytes: number;
  /** Said in place of what was refused. */
  isLastWord: boolean;
}

/** How parts are handed over; see `ConnectorApi.answer`. */
export type HandOver = (parts: readonly string[]) => Promise<string[]>;

/**
 * Parts of answers on their way to Haldir, in the order they were written: at once where none is under way, else with all that
 * gather until then. A request that fails is made again; Haldir drops what it has already, and what comes too late.
 */
export class AnswerQueue implements Answers {
  private queued: Queued[] = [];
  private bytes = 0;
  private wake: (() => void) | null = null;
  private waiters: (() => void)[] = [];
  /** Exchanges that were in a request which Haldir refused: each has one to itself, which tells whose fault it was. */
  private readonly suspects = new Set<string>();

  add(part: AnswerPart): void {
    this.push(part, false);
  }

  room(): Promise<void> | null {
    return this.bytes < FULL_BYTES ? null : new Promise((resolve) => this.waiters.push(resolve));
  }

  /** Nobody waits for that answer any more. */
  drop(id: string): void {
    this.take((part) => part.id !== id);
  }

  /**
   * Sends what there is until the signal.
   *
   * @param onGone told of an exchange that nobody waits for
   * @param renew takes the lease again
   * @throws Refused when the key may answer no more
   */
  async run(
    handOver: HandOver,
    onGone: (id: string) => void,
    renew: () => Promise<unknown>,
    signal: AbortSignal,
  ): Promise<void> {
    const backOff = new BackOff(FIRST_WAIT_MS, MAX_WAIT_MS);
    while (!signal.aborted) {
      const batch = this.batch();
      if (batch.length === 0) {
        await this.more(signal);
        continue;
      }
      try {
        const gone = await handOver(batch.map(({ json }) => json));
        backOff.reset();
        this.forget(batch);
        for (const { id } of batch) this.suspects.delete(id);
        gone.forEach(onGone);
      } catch (error) {
        if (signal.aborted) return;
        if (error instanceof LeaseLost) await renew();
        else if (error instanceof Unavailable) await pause(error.retryAfterMs ?? backOff.next(), signal);
        else if (error instanceof Refused && error.status !== 401 && error.status !== 403) this.giveUp(batch, onGone);
        else throw error;
      }
    }
  }

  private push(part: AnswerPart, isLastWord: boolean): void {
    const json = JSON.stringify(part);
    const bytes = Buffer.byteLength(json) + 1;
    this.queued.push({ id: part.id, seq: part.seq, json, bytes, isLastWord });
    this.bytes += bytes;
    this.wake?.();
  }

  /** What was refused is not sent again as it was: of one exchange, which has no answer then; else each exchange by itself. */
  private giveUp(batch: readonly Queued[], onGone: (id: string) => void): void {
    for (const { id } of batch) this.suspects.add(id);
    const [first] = batch;
    if (!first || batch.some(({ id }) => id !== first.id)) return;
    const { id, seq, isLastWord } = first;
    this.suspects.delete(id);
    onGone(id);
    this.drop(id);
    if (!isLastWord) this.push({ id, seq, data: '', last: true, failed: 'reset' }, true);
  }

  /** As much as one request may carry, of what waits. */
  private batch(): Queued[] {
    const alone = this.queued.find(({ id }) => this.suspects.has(id))?.id;
    if (alone === undefined) this.suspects.clear();
    const waiting = alone === undefined ? this.queued : this.queued.filter(({ id }) => id === alone);
    let bytes = 0;
    const end = waiting.findIndex((part, i) => (bytes += part.bytes) > MAX_BATCH_BYTES && i > 0);
    return waiting.slice(0, end === -1 ? MAX_BATCH_PARTS : Math.min(end, MAX_BATCH_PARTS));
  }

  private forget(batch: readonly Queued[]): void {
    const sent = new Set(batch);
    this.take((part) => !sent.has(part));
  }

  /** Leaves what is to stay. */
  private take(stays: (part: Queued) => boolean): void {
    this.queued = this.queued.filter(stays);
    this.bytes = this.queued.reduce((sum, part) => sum + part.bytes, 0);
    if (this.bytes >= FULL_BYTES) return;
    for (const resolve of this.waiters.splice(0)) resolve();
  }

  private async more(signal: AbortSignal): Promise<void> {
    let wake = (): void => undefined;
    const woken = new Promise<void>((resolve) => (wake = resolve));
    this.wake = wake;
    signal.addEventListener('abort', wake);
    await woken;
    signal.removeEventListener('abort', wake);
    this.wake = null;
  }
}
