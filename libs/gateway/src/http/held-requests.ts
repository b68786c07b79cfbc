import { randomUUID } from 'node:crypto';
import { Injectable } from '@nestjs/common';
import { ApprovalTellings, ApprovalWaits, type HeldRequest, pagePathOf } from '@haldir/approvals';
import { PublicAddress } from '@haldir/http';
import { type JsonObject } from '@haldir/mcp';
import { type Dialogue } from '@haldir/proxy';
import { HaldirConfig } from '@haldir/runtime';
import { type Asking } from './asking.js';
import { APPROVAL_QUESTION, hasDeclined, promptingOf } from './prompting.js';
import { URL_ELICITATION_REQUIRED } from './protocol/messages.js';
import { wrapState } from './protocol/request-state.js';

/** What is answered in place of a result, in a form that can be kept under an `Idempotency-Key`. */
export type HeldReply = { result: JsonObject } | { error: { code: number; message: string; data: unknown } };

/** Calls and reads that a human has to approve: where the client can show it, the human is asked there; else they wait. */
@Injectable()
export class HeldRequests {
  constructor(
    private readonly waits: ApprovalWaits,
    private readonly tellings: ApprovalTellings,
    private readonly address: PublicAddress,
    private readonly config: HaldirConfig,
  ) {}

  /** For how long one may be kept waiting. */
  get longestMs(): number {
    return this.config.mcp.holdMs;
  }

  /**
   * Waits until it was decided about the request, where the client hears that somebody is there: null once it was, else the request, with
   * what is known by then of who was told. Whoever can be
   * asked is asked first, and waits when it comes again, since a human may have opened the page and not decided yet. A call that
   * has begun to ask on its stream (`midway`) shows the page there, because it would begin anew if it came again.
   */
  async wait(asking: Asking, params: JsonObject, request: HeldRequest, midway = false): Promise<HeldRequest | null> {
    const { caller, exchange, cancelled } = asking;
    if (this.longestMs === 0 || !exchange?.takesEvents || hasDeclined(params)) return request;
    const prompting = request.isNew ? promptingOf(asking, params) : null;
    if (prompting !== null && !midway) return request;
    // What the human says to it decides nothing.
    if (prompting === 'error') exchange.request(randomUUID(), 'elicitation/create', this.linkTo(asking, request));
    // Also a client of the older revisions that hangs up uses nothing up: it gets no answer.
    const signal = cancelled ? AbortSignal.any([cancelled, exchange.signal]) : exchange.signal;
    const { tenantId } = caller.actor;
    const status = await this.waits.untilDecided(tenantId, request.requestId, this.longestMs, signal);
    if (signal.aborted) return request;
    if (status !== 'pending') return null;
    return { ...request, notified: await this.tellings.notifiedNow({ tenantId, id: request.requestId }) };
  }

  /**
   * Sends the human at the client to the page that decides; null when the client cannot. The client makes its request again by
   * itself then. Its answer decides nothing: what is not approved by then is held once more.
   *
   * @param dialogue what the request carries for its upstream, which comes back with the answer
   */
  prompt(asking: Asking, params: JsonObject, request: HeldRequest, dialogue: Dialogue | null): HeldReply | null {
    const prompting = promptingOf(asking, params);
    if (prompting === null || hasDeclined(params)) return null;
    const url = this.pageOf(asking, request);
    const why = whyOf(request);
    if (prompting === 'error') {
      return {
        error: {
          code: URL_ELICITATION_REQUIRED,
          message: `${why} Open ${url}, and make the same request again once it is approved.`,
          data: { elicitations: [this.linkTo(asking, request)] },
        },
      };
    }
    const question =
      prompting === 'url'
        ? { mode: 'url', url, message: `${why} Decide about it on this page.` }
        : {
            mode: 'form',
            message: `${why} It is decided at ${url}. Go on once it is approved.`,
            requestedSchema: { type: 'object', properties: {} },
          };
    const { responses, state } = dialogue ?? {};
    const carried = { ...(responses ? { responses } : {}), ...(state === undefined ? {} : { state }) };
    return {
      result: {
        resultType: 'input_required',
        inputRequests: { [APPROVAL_QUESTION]: { method: 'elicitation/create', params: question } },
        ...(Object.keys(carried).length === 0 ? {} : { requestState: wrapState(carried) }),
      },
    };
  }

  /** As clients of 2025-11-25 are shown it. */
  private linkTo(asking: Asking, request: HeldRequest): JsonObject {
    const message = `${whyOf(request)} Decide about it on this page.`;
    return { mode: 'url', elicitationId: request.requestId, url: this.pageOf(asking, request), message };
  }

  /** What a request waits for, and where that is decided. */
  waitingWords(asking: Asking, request: Pick<HeldRequest, 'requestId' | 'reason'>): string {
    return `${whyOf(request)} It is decided at ${this.pageOf(asking, request)}.`;
  }

  /** Where a human decides. */
  pageOf({ request: http }: Asking, { requestId }: Pick<HeldRequest, 'requestId'>): string {
    return this.address.of(http, pagePathOf(requestId));
  }
}

function whyOf({ requestId, reason }: Pick<HeldRequest, 'requestId' | 'reason'>): string {
  return `This has to be approved by a human (request ${requestId}): ${reason}.`;
}
