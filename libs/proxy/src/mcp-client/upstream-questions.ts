import { setTimeout as sleep } from 'node:timers/promises';
import { isObject, type JsonObject } from '@haldir/mcp';
import { replyTo } from './event-answer.js';
import { type Presenting } from './transport.js';

/** Before an answer that did not arrive is sent again, in ms: the first time, and at most. */
const [FIRST_PAUSE, MAX_PAUSE] = [500, 8_000];
const NOT_ANSWERED = { code: -32_603, message: 'The client could not be asked, or did not answer in time' };

/**
 * What an upstream asks while a request of Haldir's is under way (2025-11-25, "Elicitation"). For as long as the client is asked, the
 * time of the request stands still: a human takes it, and not the upstream.
 */
export class UpstreamQuestions {
  private open = 0;
  /** What was left when the first of those that are open was asked, in ms. */
  private leftMs = 0;

  /**
   * @param tell sends the upstream an answer; whether it has taken it
   * @param onLater told when the deadline is another
   */
  constructor(
    private readonly asked: Presenting,
    private readonly tell: (reply: JsonObject) => Promise<boolean>,
    private readonly onLater: (() => void) | undefined,
  ) {}

  /** Answers a request of the upstream, now or once the client has. */
  take(request: JsonObject): void {
    if (request['method'] === 'elicitation/create' && this.asked.elicitation) void this.elicit(request);
    else void this.answer(replyTo(request));
  }

  private async elicit({ id, params }: JsonObject): Promise<void> {
    const { asked } = this;
    const { elicitation } = asked;
    if (!elicitation) return;
    if (this.open++ === 0) {
      this.leftMs = asked.deadlineAt - performance.now();
      this.endAt(Math.max(elicitation.endsAt(), performance.now()) + this.leftMs);
    }
    const result = await elicitation.ask(isObject(params) ? params : {}).catch(() => null);
    if (--this.open === 0) this.endAt(performance.now() + this.leftMs);
    await this.answer({ id, ...(result ? { result } : { error: NOT_ANSWERED }) });
  }

  /** What does not arrive is sent again while the request is under way: of two answers to one question an upstream takes the first. */
  private async answer(reply: JsonObject): Promise<void> {
    for (let pauseMs = FIRST_PAUSE; !(await this.tell(reply)); pauseMs = Math.min(2 * pauseMs, MAX_PAUSE)) {
      if (performance.now() + pauseMs >= this.asked.deadlineAt) return;
      await sleep(pauseMs, undefined, { ref: false });
      if (this.asked.isOver) return;
    }
  }

  private endAt(deadlineAt: number): void {
    this.asked.deadlineAt = deadlineAt;
    this.onLater?.();
  }
}
