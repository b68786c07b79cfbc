import { LONGEST_CALL_MS } from '@haldir/kernel';
import { type AnswerPart, type ClaimedExchange, type Failure } from './wire.js';

/** Where parts of answers go. */
export interface Answers {
  add(part: AnswerPart): void;
  /** Null, or resolves once there is room for more. */
  room(): Promise<void> | null;
}

/** Haldir's own word on it comes first. */
const SLACK_MS = 2_000;
const MAX_TIMER_MS = 2 ** 31 - 1;

type Headers = Readonly<Record<string, string>>;

/**
 * One HTTP request that came through Haldir, and its answer. Whoever waits for it may go: the signal says so, and whatever is answered
 * then goes nowhere.
 */
export class Exchange {
  private readonly gone = new AbortController();
  private seq = 0;
  private isOver = false;
  private timer: NodeJS.Timeout;

  /** @param onOver once it is answered, has failed, or nobody waits for it any more */
  constructor(
    private readonly asked: ClaimedExchange,
    private readonly answers: Answers,
    private readonly maxPartBytes: number,
    private readonly onOver: () => void,
  ) {
    this.timer = this.startTimer(asked.deadlineMs + SLACK_MS);
  }

  get method(): string {
    return this.asked.method;
  }

  get headers(): Headers {
    return this.asked.headers;
  }

  get body(): string | null {
    return this.asked.body;
  }

  /** Aborted when nobody waits any more. */
  get signal(): AbortSignal {
    return this.gone.signal;
  }

  /** Begins an answer that comes in pieces. */
  begin(status: number, headers: Headers): void {
    this.send({ status, headers, data: '', last: false });
  }

  write(text: string): void {
    for (const data of pieces(text, this.maxPartBytes)) this.send({ data, last: false });
  }

  /** Resolves once there is room for more; null when there is. */
  room(): Promise<void> | null {
    return this.answers.room();
  }

  end(): void {
    this.send({ data: '', last: true });
  }

  /** Answers at once. */
  answer(status: number, headers: Headers = {}, text = ''): void {
    const all = pieces(text, this.maxPartBytes);
    all.forEach((data, i) => this.send({ ...(i === 0 ? { status, headers } : {}), data, last: i === all.length - 1 }));
  }

  /** There is no answer, or no more of it. */
  fail(failed: Failure): void {
    this.send({ data: '', last: true, failed });
  }

  /** Nobody waits for it any more. */
  cancel(): void {
    if (!this.over()) return;
    this.gone.abort();
  }

  private send(part: Omit<AnswerPart, 'id' | 'seq'>): void {
    if (this.isOver) return;
    this.answers.add({ id: this.asked.id, seq: this.seq++, ...part });
    if (part.last) this.over();
    else {
      clearTimeout(this.timer);
      this.timer = this.startTimer(Math.max(this.asked.deadlineMs, LONGEST_CALL_MS) + SLACK_MS);
    }
  }

  /** False when it was already. */
  private over(): boolean {
    if (this.isOver) return false;
    this.isOver = true;
    clearTimeout(this.timer);
    this.onOver();
    return true;
  }

  /**
   * Haldir gives a call that reports progress all of its time again, which may be more than was left when it was claimed, and waits for
   * humans that are asked in it; it says when it gives one up; one of a Haldir that has died is given up here.
   */
  private startTimer(ms: number): NodeJS.Timeout {
    return setTimeout(() => this.cancel(), Math.min(ms, MAX_TIMER_MS)).unref();
  }
}

/** The text in pieces that take no more than so many bytes as JSON each, cut between characters. */
export function pieces(text: string, maxBytes: number): string[] {
  if (text.length * 6 + 2 <= maxBytes || Buffer.byteLength(JSON.stringify(text)) <= maxBytes || text.length < 2)
    return [text];
  const middle = text.length >> 1;
  const isWithin = (text.codePointAt(middle - 1) ?? 0) > 0xffff;
  const at = isWithin ? middle + 1 : middle;
  return at >= text.length ? [text] : [...pieces(text.slice(0, at), maxBytes), ...pieces(text.slice(at), maxBytes)];
}
