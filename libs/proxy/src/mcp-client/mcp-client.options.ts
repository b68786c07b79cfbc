import { type Egress } from '@haldir/egress';
import { type MirroredArgument } from '@haldir/mcp';
import { type SentRequest, type Mask } from './transport.js';
import { type Dialogue, type Elicitation, type Progress } from './mcp-protocol.js';
import { type SessionPlaces } from './session-place.js';
import { type ToolPageLimits } from './tool-pages.js';

export interface McpClientOptions {
  /** What requests leave by. */
  readonly egress: Pick<Egress, 'open' | 'request' | 'target' | 'closePools'>;
  readonly url: string;
  /** Unique per registration of an upstream (tenant, name and revision): upstreams never wait for each other's connections. */
  readonly key: string;
  /** Calls under way at once; further ones wait, within their deadline. Default 32. */
  readonly connections?: number;
  /** Default 30,000. */
  readonly deadlineMs?: number;
  /** Largest answer, events included. Default 4 MiB. */
  readonly maxResponseBytes?: number;
  /** Largest catalogue. Defaults 50 pages, 2,000 tools. */
  readonly limits?: ToolPageLimits;
  /** Where sessions with it are kept for other processes; without it they are this client's own, and end with it. */
  readonly sessions?: SessionPlaces;
  /** Told when the upstream says that one of its lists has changed, on the stream of an answer or while it is listened to. */
  readonly onListChange?: () => void;
}

/** What an upstream is shown with every request. */
export interface Presentation {
  headers: Readonly<Record<string, string>>;
  masker: Mask | null;
  /** When it was found out, in any count that grows. */
  order: number;
}

export interface CallOptions {
  /** For everything the call needs, finding out how to speak included. */
  readonly deadlineMs?: number;
  /** For finding out how to speak, in place of what a silent upstream has for that otherwise. */
  readonly detectionMs?: number | undefined;
  /** For a call that tells how far it has come: each time it has the deadline anew, but no longer than this altogether. */
  readonly longestMs?: number;
  /** Largest answer, events included. */
  readonly maxBytes?: number;
  readonly signal?: AbortSignal;
  /** The session of Haldir that it is for, by its id: it has a session of the upstream to itself, where there is one for each. */
  readonly session?: string;
  /** Told when that one was lost, and another begun. */
  readonly onSessionReplaced?: () => void;
  /** Told how far a call has come, as often as the upstream says so. */
  readonly onProgress?: (progress: Progress) => void;
  /** For a call by a client that can be asked something; without it, a tool that asks is refused. */
  readonly dialogue?: Dialogue;
  /** How the upstream may ask the client in the middle of it, in a session that is that of the Haldir session alone. */
  readonly elicitation?: Elicitation;
  /** Arguments to repeat as headers, whatever the upstream says of them by now; without it, as its list said last. */
  readonly mirrored?: readonly MirroredArgument[];
  /** Whether the tool is declared to do no more when called twice: called again, once, when the connection broke. */
  readonly repeatable?: boolean;
  /** Takes out of each message of the upstream what nobody may see. */
  readonly mask?: (message: unknown) => Promise<unknown>;
  /** Told when something had to be taken out besides, because the upstream was told it before. */
  readonly onMasked?: () => void;
}

/** What holds for everything a call needs. */
export type Terms = Pick<
  SentRequest,
  'deadlineAt' | 'laterDeadline' | 'signal' | 'onNotification' | 'mask' | 'onMasked' | 'maxBytes' | 'elicitation'
> &
  Pick<CallOptions, 'mirrored' | 'detectionMs' | 'session' | 'onSessionReplaced'>;

/** @param defaultMs the deadline of a call that names none */
export function termsOf(options: CallOptions, defaultMs: number): Terms {
  const { deadlineMs, detectionMs, maxBytes, signal, session, onSessionReplaced, mirrored, mask, onMasked } = options;
  const { elicitation } = options;
  return {
    deadlineAt: performance.now() + (deadlineMs ?? defaultMs),
    ...(detectionMs === undefined ? {} : { detectionMs }),
    ...(maxBytes === undefined ? {} : { maxBytes }),
    ...(session === undefined ? {} : { session }),
    ...(onSessionReplaced ? { onSessionReplaced } : {}),
    ...(signal ? { signal } : {}),
    ...(elicitation ? { elicitation } : {}),
    ...(mirrored ? { mirrored } : {}),
    ...(mask ? { mask } : {}),
    ...(onMasked ? { onMasked } : {}),
  };
}
