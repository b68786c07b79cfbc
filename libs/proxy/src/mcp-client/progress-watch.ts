import { type JsonObject } from '@haldir/mcp';
import { type CallOptions, type Terms } from './mcp-client.options.js';
import { progressOf } from './mcp-protocol.js';

/** A call whose caller hears how far it has come: each time it has its deadline anew, but no longer than the longest call, what its client was asked meanwhile not counted. */
export class ProgressWatch {
  /** By `performance.now()`, as it is by now. */
  deadlineAt: number;
  readonly params: JsonObject;
  readonly terms: Terms;

  /**
   * @param token of this call alone
   * @param deadlineMs anew each time
   */
  constructor(
    call: JsonObject,
    token: string,
    onProgress: NonNullable<CallOptions['onProgress']>,
    { terms, deadlineMs, longestMs }: { terms: Terms; deadlineMs: number; longestMs: number },
  ) {
    const endAt = performance.now() + longestMs;
    this.deadlineAt = terms.deadlineAt;
    this.params = { ...call, _meta: { progressToken: token } };
    this.terms = {
      ...terms,
      onNotification: (notification) => {
        const progress = progressOf(notification, token);
        if (progress) onProgress(progress);
      },
      laterDeadline: (notification) => {
        if (!progressOf(notification, token)) return null;
        return (this.deadlineAt = Math.min(performance.now() + deadlineMs, endAt + (terms.elicitation?.askedMs ?? 0)));
      },
    };
  }
}
