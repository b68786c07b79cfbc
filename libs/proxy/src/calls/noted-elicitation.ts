import { type JsonObject } from '@haldir/mcp';
import { type ClientElicitation, type Elicitation } from '../mcp-client/index.js';
import { type CallNotes } from './call-decision.js';

/**
 * What the client of one call is asked by its upstream: noted for the log, and how long it took. A call that somebody has approved
 * asks nothing, because what was approved is the call as it was, without answers that nobody has seen.
 */
export class NotedElicitation implements Elicitation {
  readonly capability: JsonObject;
  private open = 0;
  private openedAt = 0;
  private closedMs = 0;

  constructor(
    private readonly client: ClientElicitation,
    private readonly notes: Pick<CallNotes, 'answers' | 'approvalId'>,
  ) {
    this.capability = client.capability;
  }

  get askedMs(): number {
    return this.closedMs + (this.open > 0 ? performance.now() - this.openedAt : 0);
  }

  endsAt(): number {
    return this.client.endsAt();
  }

  async ask(params: JsonObject): Promise<JsonObject | null> {
    const { client, notes } = this;
    if (notes.approvalId !== null) return null;
    if (this.open++ === 0) this.openedAt = performance.now();
    try {
      const answer = await client.ask(params);
      if (answer) notes.answers.push(answer);
      return answer;
    } finally {
      if (this.open === 1) this.closedMs = this.askedMs;
      this.open--;
    }
  }
}
