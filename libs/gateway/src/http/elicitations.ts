import { Injectable } from '@nestjs/common';
import { SessionService } from '@haldir/gate';
import { Callers } from '@haldir/http';
import { DIALOGUE_MS } from '@haldir/kernel';
import { type JsonObject } from '@haldir/mcp';
import { type ClientElicitation } from '@haldir/proxy';
import { type Asking } from './asking.js';
import { toCapabilities } from './protocol/mcp-session.js';
import { Questions } from './questions.js';
import { CALL_KEY_SCOPE } from './tool-call.js';

const QUESTION = 'question';

/**
 * What upstreams with a handshake ask in the middle of a call, put to clients with one on the stream of that call. Clients of 2026-07-28
 * are asked in results alone, which such an upstream does not wait for.
 */
@Injectable()
export class Elicitations {
  constructor(
    private readonly questions: Questions,
    private readonly callers: Callers,
    private readonly sessions: SessionService,
  ) {}

  /** Does what a client that can be asked so may be asked for; whatever is not answered by its end never is. */
  async during<T>(asking: Asking, work: (elicitation: ClientElicitation | undefined) => Promise<T>): Promise<T> {
    const over = new AbortController();
    try {
      return await work(this.of(asking, over.signal));
    } finally {
      over.abort();
    }
  }

  private of(asking: Asking, over: AbortSignal): ClientElicitation | undefined {
    const { mcpSession, cancelled } = asking;
    if (!mcpSession || !this.questions.canAsk(asking)) return undefined;
    const { elicitation: capability } = toCapabilities(mcpSession);
    if (capability === undefined) return undefined;
    let ends: number | null = null;
    const endsAt = (): number => (ends ??= performance.now() + DIALOGUE_MS);
    const until = { ...asking, cancelled: cancelled ? AbortSignal.any([cancelled, over]) : over };
    return {
      capability: capability as JsonObject,
      endsAt,
      ask: async (params) => {
        const asked = { [QUESTION]: { method: 'elicitation/create', params } };
        const answers = await this.questions.ask(until, asked, endsAt() - performance.now());
        return answers && (await this.mayGoOn(asking)) ? (answers[QUESTION] as JsonObject) : null;
      },
    };
  }

  /** Key and session are asked for anew: a human may take long. */
  private async mayGoOn({ caller, request, sessionId }: Asking): Promise<boolean> {
    if (await this.callers.refusal(request, CALL_KEY_SCOPE)) return false;
    return sessionId === null || (await this.sessions.findLive(caller.actor, sessionId)) !== null;
  }
}
