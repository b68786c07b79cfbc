import { type Actor, type HaldirError } from '@haldir/kernel';
import { type Claim } from '@haldir/http';
import { type CallOptions, type ClientElicitation, type Dialogue } from '../mcp-client/index.js';

/** What a session asks of an upstream: to call a tool, or to read a resource or prompt. */
export interface CallRequest {
  actor: Actor;
  sessionId: string;
  arguments: Readonly<Record<string, unknown>>;
  /** What may be asked before it is answered, and what was answered; without it, a tool that asks is refused. */
  dialogue?: Dialogue;
  /** Of a call that has waited: why whoever asks is no longer let make it, or null. */
  recheck?: () => Promise<HaldirError | null>;
  /** The Idempotency-Key it is made under. */
  claim?: Claim | null;
  /** Whether a denial of the same call stands for a while, rather than that a human is asked anew at once. */
  heedsDenials?: boolean;
}

/** What whoever asked hears of a call under way and may be asked by it, and how it may be broken off. */
export type CallWatch = Pick<CallOptions, 'signal' | 'onProgress'> & { elicitation?: ClientElicitation };
