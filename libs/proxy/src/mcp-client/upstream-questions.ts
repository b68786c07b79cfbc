import { isObject, type JsonObject } from '@haldir/mcp';
import { replyTo } from './event-answer.js';
import { type Presenting } from './transport.js';

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
   * @param tell answers the upstream
   * @param onLater told when the deadline is another
   */
  constructor(
    private readonly asked: Presenting,
    private readonly tell: (reply: JsonObject) => void,
    private readonly onLater: (() => void) | undefined,
  ) {}

  /** Answers a request of the upstream, now or once the client has. */
  take(request: JsonObject): void {
    if (request['method'] === 'elicitation/create' && this.asked.elicitation) void this.elicit(request);
    else this.tell(replyTo(request));
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
    this.tell({ id, ...(result ? { result } : { error: NOT_ANSWERED }) });
  }

  private endAt(deadlineAt: number): void {
    this.asked.deadlineAt = deadlineAt;
    this.onLater?.();
  }
}
