import { type Egress, type EgressTarget, type ResponseHeaders } from '@haldir/egress';
import { type JsonObject } from '@haldir/mcp';
import { type Elicitation, type ProtocolRevision } from './mcp-protocol.js';

export interface TransportOptions {
  readonly egress: Pick<Egress, 'open' | 'request' | 'target'>;
  readonly target: EgressTarget;
  readonly poolKey: string;
  readonly connections: number;
  readonly maxResponseBytes: number;
  /** Told when the upstream says, on whatever stream, that one of its lists has changed. */
  readonly onListChange?: () => void;
}

/** Takes out of a message what nobody may see. */
export interface Mask {
  mask(message: unknown): Promise<unknown>;
}

export interface SentRequest {
  readonly revision: ProtocolRevision;
  readonly method: string;
  readonly params: JsonObject;
  readonly headers: Record<string, string>;
  /** `performance.now()` after which no answer is of use. */
  readonly deadlineAt: number;
  /** Until when the answer is waited for once the upstream has said so much; null where that changes nothing. */
  readonly laterDeadline?: (notification: JsonObject) => number | null;
  readonly signal?: AbortSignal;
  /** Takes out of each message of the upstream what nobody may see, before anything else is done with it. */
  readonly mask?: (message: unknown) => Promise<unknown>;
  /** Told when more had to be taken out than `mask` did. */
  readonly onMasked?: () => void;
  /** What the answer may take, events included; as the transport has it otherwise. */
  readonly maxBytes?: number;
  /** Told what the upstream says while the request is under way. */
  readonly onNotification?: (notification: JsonObject) => void;
  /** How the upstream may ask the client meanwhile; without it, it is told that it cannot. */
  readonly elicitation?: Elicitation;
}

/** A request with the credentials that it began with. */
export interface Presenting extends SentRequest {
  deadlineAt: number;
  /** Whether nobody waits for its answer any more. */
  isOver?: boolean;
  readonly credentials: Readonly<Record<string, string>>;
}

export interface Answered {
  readonly result: unknown;
  /** What the answer took, events included. */
  readonly bytes: number;
  readonly headers: ResponseHeaders;
}

/** What carries messages to one upstream. */
export interface Transport {
  /**
   * Sends one request and waits for its answer.
   *
   * @throws RejectedUnprocessed when the upstream refused it before acting
   * @throws UpstreamRpcError when the answer is a JSON-RPC error
   * @throws UpstreamUnreachable when there is no usable answer
   */
  ask(asked: SentRequest): Promise<Answered>;
  /**
   * Hears what the upstream says of its own accord, until its deadline or the end of the stream; false when it has no such
   * stream.
   *
   * @throws RejectedUnprocessed, UpstreamUnreachable
   */
  hear(verb: 'GET' | 'POST', asked: SentRequest): Promise<boolean>;
  /** Sends a notification and waits until it was taken. @throws UpstreamUnreachable */
  notify(revision: ProtocolRevision, method: string, deadlineAt: number): Promise<void>;
  /** Ends a session, without waiting and without caring whether the upstream minds. */
  endSession(revision: ProtocolRevision): void;
  /** Ends a session, whatever the upstream answers. @throws UpstreamUnreachable */
  delete(revision: ProtocolRevision): Promise<void>;
}

/** What an upstream is shown with every request, and for what it was told, by one request or another. */
export interface Shown {
  readonly headers: Readonly<Record<string, string>>;
  readonly masker: Mask | null;
}

/** What an upstream may say of its own accord before the stream is opened anew. */
export const MAX_HEARD_BYTES = 1_024 * 1_024;

/** With the credentials of now, and what is taken out of answers on account of the request and of what was told before. */
export function presenting(asked: SentRequest, { masker, headers: credentials }: Shown): Presenting {
  if (!masker) return { ...asked, credentials };
  const { mask, onMasked } = asked;
  return {
    ...asked,
    credentials,
    mask: async (message) => {
      const own = mask ? await mask(message) : message;
      const masked = await masker.mask(own);
      if (masked !== own) onMasked?.();
      return masked;
    },
  };
}

export function remaining(deadlineAt: number): number {
  return Math.max(1, Math.ceil(deadlineAt - performance.now()));
}
