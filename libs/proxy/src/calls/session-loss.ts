import { type Session } from '@haldir/gate';
import { isObject, type JsonObject } from '@haldir/mcp';
import { type CallOptions } from '../mcp-client/index.js';

/** Tells an agent that its session with an upstream was lost while, or before, a call was made, and that another was begun. */
export class SessionLoss {
  private isLost = false;

  constructor(private readonly upstream: string) {}

  /** For a call within the session. */
  optionsFor({ id }: Session): Pick<CallOptions, 'session' | 'onSessionReplaced'> {
    return { session: id, onSessionReplaced: () => void (this.isLost = true) };
  }

  /** The answer; with a text more where it has content, which agents read, and in `_meta` for programs. */
  toldIn<Result extends JsonObject>(result: Result): Result {
    if (!this.isLost) return result;
    const { _meta: meta, content } = result;
    const text = `The session with upstream ${this.upstream} was lost and a new one was begun: what it held before is gone.`;
    return {
      ...result,
      ...(Array.isArray(content) ? { content: [...(content as unknown[]), { type: 'text', text }] } : {}),
      _meta: { ...(isObject(meta) ? meta : {}), 'haldir/upstream-session': 'replaced' },
    };
  }
}
