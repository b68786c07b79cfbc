import { HaldirError } from '@haldir/kernel';
import { TOLD_TOO_MUCH } from '@haldir/vault';
import { type RedirectAdvice } from './redirect-advice.js';
import { EgressFailed, EgressRefused } from '@haldir/egress';

/** Why an upstream gave no usable answer: its address, the way to it, or what it said. */
export type UnreachableReason =
  | 'refused'
  | 'dns'
  | 'connect'
  | 'tls'
  | 'timeout'
  | 'busy'
  | 'circuit_open'
  | 'reset'
  | 'too_large'
  | 'encoding'
  | 'aborted'
  | 'http_status'
  | 'unauthorized'
  | 'credentials'
  | 'token'
  | 'told_too_much'
  | 'masking'
  | 'session'
  | 'task'
  | 'protocol';

const MESSAGES: Record<UnreachableReason, string> = {
  refused: "The upstream's address is not allowed",
  dns: "The upstream's host name could not be resolved",
  connect: 'The upstream could not be connected to',
  tls: 'The TLS handshake with the upstream failed',
  timeout: 'The upstream did not answer in time',
  busy: 'As many calls of the upstream are under way as it is sent at once',
  circuit_open: 'The upstream is left alone after calls that failed or were slow',
  reset: 'The upstream closed the connection before its answer was complete',
  too_large: "The upstream's answer was larger than allowed",
  encoding: "The upstream's answer has a content encoding that Haldir neither asks for nor reads",
  aborted: 'The call was cancelled',
  http_status: 'The upstream answered with an unexpected HTTP status',
  unauthorized: 'The upstream asks for an authorization that Haldir does not have',
  credentials: 'A header of the upstream needs a secret that may not be used for it',
  token: "The upstream's authorization server gave no access token",
  told_too_much: `The upstream ${TOLD_TOO_MUCH}`,
  masking: 'What the upstream was told before cannot be masked right now, so it was not asked',
  task: 'The upstream made a task of the call, which came to no result',
  session: 'No session with the upstream was to be had for this call',
  protocol: "The upstream's answer was not valid MCP or JSON-RPC",
};

/** Why a call is not sent: the upstream is left alone, or another call is finding out whether it is back. */
export type RefusingCircuit = { state: 'open'; retryAfterMs: number } | { state: 'half_open' };

/** The upstream gave no usable answer. The message is fixed per reason and quotes nothing the upstream sent. */
export class UpstreamUnreachable extends HaldirError {
  /** HTTP status of the answer; null when there was none or it was not the trouble. */
  readonly status: number | null;
  /** Whether the upstream may have acted on the call. */
  readonly sent: boolean;
  /** In words of ours, behind what is said of the reason. */
  readonly detail: string | null;
  /** Of a call that was not sent because its upstream is left alone; null for any other. */
  readonly circuit: RefusingCircuit | null;
  /** For whoever registered the upstream: the address to register instead, where that is known. */
  readonly betterUrl: string | null;

  /** @param options with `detail`, what helps whoever reads it, in words of ours */
  constructor(
    readonly reason: UnreachableReason,
    options: {
      status?: number;
      sent?: boolean;
      cause?: unknown;
      detail?: string | null;
      redirect?: RedirectAdvice;
      circuit?: RefusingCircuit;
    } = {},
  ) {
    const { status, sent = true, cause, redirect, detail = redirect?.words ?? null } = options;
    const more = status === undefined ? '' : ` (${status})`;
    const message = `${MESSAGES[reason]}${more}${detail === null ? '' : `: ${detail}`}`;
    super('bad_gateway', message, { code: 'upstream_unreachable', cause });
    this.status = status ?? null;
    this.sent = sent;
    this.detail = detail;
    this.circuit = options.circuit ?? null;
    this.betterUrl = redirect?.url ?? null;
  }

  /** The same failure, with something more to say of it. */
  with(detail: string): UpstreamUnreachable {
    return this.again({ sent: this.sent, detail });
  }

  /** The same failure of a question that had so long, because its upstream has no time of its own. */
  within(ms: number): UpstreamUnreachable {
    return this.with(`within ${ms / 1000} s, for which the upstream can have a timeout of its own`);
  }

  /** The same failure, of something that came before the call: the upstream has not acted on that. */
  unsent(): UpstreamUnreachable {
    return this.sent ? this.again({ sent: false, detail: this.detail }) : this;
  }

  /** The same failure, of something that came after the call: the upstream may have acted on that. */
  afterCall(): UpstreamUnreachable {
    return this.sent ? this : this.again({ sent: true, detail: this.detail });
  }

  private again(changed: { sent: boolean; detail: string | null }): UpstreamUnreachable {
    const { reason, status, cause, circuit, betterUrl: url } = this;
    return new UpstreamUnreachable(reason, {
      ...(status === null ? {} : { status }),
      ...(circuit === null ? {} : { circuit }),
      ...(url === null ? {} : { redirect: { url, words: '' } }),
      cause,
      ...changed,
    });
  }
}

/** The upstream understood the call and answered with a JSON-RPC error, for example for arguments it does not accept. */
export class UpstreamRpcError extends HaldirError {
  constructor(
    readonly rpcCode: number,
    /** The upstream's own words, cut to 1,000 characters. */
    readonly rpcMessage: string,
    /** HTTP status the error came with. */
    readonly status: number,
    readonly data?: unknown,
  ) {
    super('bad_gateway', `The upstream answered with error ${rpcCode}: ${rpcMessage}`, { code: 'upstream_error' });
  }
}

/**
 * What a failed request means for the upstream; anything that is not about the way there is passed on.
 *
 * @param hasLeft whether the call has left, whatever became of this request: its upstream's name may lead elsewhere by now
 */
export function unreachable(error: unknown, hasLeft = false): unknown {
  if (error instanceof EgressRefused) return new UpstreamUnreachable('refused', { sent: hasLeft, cause: error });
  if (error instanceof EgressFailed) {
    const { reason, sent, detail } = error;
    return new UpstreamUnreachable(reason, { sent: hasLeft || sent, detail, cause: error });
  }
  return error;
}

/** Of a definition: as it came, and as it is repaired. */
export const MAX_DEFINITION_CHARS = 65_536;

/** Why a definition is not taken, in words that follow its name. Clients that were shown it would throw, and lose all others. */
export class UnfitDefinition extends Error {}
