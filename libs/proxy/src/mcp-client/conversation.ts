import { type JsonObject, subjectOf } from '@haldir/mcp';
import { inSession, mayHaveEndedSession, speaksOfSession, suggestsAnotherServer } from './after-failure.js';
import { RejectedUnprocessed } from './json-rpc-response.js';
import { type Terms } from './mcp-client.options.js';
import { headersFor, paramsFor, type ProtocolRevision } from './mcp-protocol.js';
import { type MirroredHeaders } from './mirrored-headers.js';
import { type NegotiatedProtocol } from './negotiated-protocol.js';
import { UpstreamRpcError, UpstreamUnreachable } from './mcp-client.errors.js';
import { type Answered, type Transport } from './transport.js';
import { knowsTasks, withTasks } from './upstream-task.js';

/** What was answered, and how it was spoken. */
export type Spoken = Answered & { readonly revision: ProtocolRevision };

/** Asks an upstream in the way that was negotiated, and once more, in another way or session, where it certainly did nothing. */
export class Conversation {
  constructor(
    private readonly transport: Transport,
    private readonly mirrored: MirroredHeaders,
    /** Asks for the tools again: a header mismatch means that they are not declared as they were. */
    private readonly relearn: (terms: Terms) => Promise<void>,
  ) {}

  /**
   * @param spoken how, found out anew with every attempt
   * @throws UpstreamUnreachable, UpstreamRpcError
   */
  async answer(
    spoken: () => Promise<NegotiatedProtocol>,
    method: string,
    params: JsonObject,
    terms: Terms,
  ): Promise<Spoken> {
    let last: NegotiatedProtocol | null = null;
    for (let attempt = 1; ; attempt++) {
      const negotiated = await spoken();
      const revision = await negotiated.find(terms);
      try {
        // Whoever asks in a session of everybody asks nobody in particular.
        const { elicitation: _, ...others } = terms;
        const answered = await this.ask(revision, method, params, negotiated.isOwn ? terms : others);
        negotiated.confirm(revision);
        if (negotiated.isOwn && (negotiated.takeReplaced() || last === negotiated)) terms.onSessionReplaced?.();
        return { ...answered, revision };
      } catch (error) {
        last = negotiated;
        const outcome = error instanceof RejectedUnprocessed ? error.outcome() : error;
        if (inSession(revision)) {
          if (!(await this.isReplaced(negotiated, revision, error, attempt, terms))) throw outcome;
        } else if (error instanceof RejectedUnprocessed) {
          negotiated.forget(revision);
          if (attempt > 1) throw outcome;
          if (error.rpcError?.rpcCode === -32020 && method === 'tools/call' && !terms.mirrored)
            await this.relearn(terms);
        } else {
          if (error instanceof UpstreamRpcError) negotiated.confirm(revision);
          if (suggestsAnother(revision, error)) negotiated.forget(revision);
          throw error;
        }
      }
    }
  }

  /**
   * Notes what a failure in a session tells of the session. Whether the same may be asked once more: it was certainly not
   * processed, and there is another session to ask it in.
   */
  private async isReplaced(
    negotiated: NegotiatedProtocol,
    revision: ProtocolRevision,
    error: unknown,
    attempt: number,
    terms: Terms,
  ): Promise<boolean> {
    if (error instanceof RejectedUnprocessed && error.endsSession) negotiated.forget(revision);
    else if (error instanceof RejectedUnprocessed || mayHaveEndedSession(error)) negotiated.doubt(revision);
    if (attempt > 1 || !(error instanceof RejectedUnprocessed || isUnauthorized(error))) return false;
    const isCertain = (): boolean =>
      !(error instanceof RejectedUnprocessed) || error.isCertain || negotiated.hasRefused(revision);
    try {
      return (await negotiated.find(terms)) !== revision && isCertain();
    } catch (failure) {
      // What the upstream said to the call is told, not what it said to questions about it.
      if (isCertain()) throw failure;
      return false;
    }
  }

  private ask(
    revision: ProtocolRevision,
    method: string,
    params: JsonObject,
    { mirrored, session: _, onSessionReplaced: __, detectionMs: ___, ...terms }: Terms,
  ): Promise<Answered> {
    const headers = headersFor(revision, method, subjectOf(method, params)?.value);
    if (method === 'tools/call' && revision.kind === 'stateless')
      Object.assign(headers, this.mirrored.of(params, mirrored));
    const asked = paramsFor(revision, withTasks(revision, method, params));
    return this.transport.ask({ revision, method, params: asked, headers, ...terms });
  }
}

/**
 * One that was shaken hands with and speaks of sessions may begin some by now; one that misses a capability (-32021) may go on
 * with tasks by now, and want that to be declared.
 */
function suggestsAnother(revision: ProtocolRevision, error: unknown): boolean {
  if (error instanceof UpstreamRpcError) {
    if (revision.kind === 'stateless') return error.rpcCode === -32_021 && !knowsTasks(revision);
    return revision.kind === 'handshake' && error.status >= 400 && speaksOfSession(error.rpcMessage);
  }
  return error instanceof UpstreamUnreachable && suggestsAnotherServer(error);
}

/** An upstream that refuses so has done nothing. */
function isUnauthorized(error: unknown): boolean {
  return error instanceof UpstreamUnreachable && error.reason === 'unauthorized';
}
