import { withDeadline } from '@haldir/kernel';
import { inSession } from './after-failure.js';
import { type JsonRpcTransport } from './json-rpc-transport.js';
import { type ProtocolRevision } from './mcp-protocol.js';
import { answersPing, detectRevision } from './protocol-detection.js';
import { type SessionPlace, type UpstreamSession } from './session-place.js';
import { unreachable, UpstreamUnreachable } from './mcp-client.errors.js';

/** For how long someone waits at most. */
export interface Deadline {
  /** By `performance.now()`. */
  readonly deadlineAt: number;
  readonly signal?: AbortSignal | undefined;
  /** For finding out, of an upstream that has a time of its own for that. */
  readonly detectionMs?: number | undefined;
}

export interface Sharing {
  /** Where its session is kept for other processes; null where it is this client's alone. */
  readonly place: SessionPlace | null;
  /** Whether the session is that of one Haldir session: who loses it is told. */
  readonly isOwn?: boolean;
  /** Finds out how to speak, or begins a session; `before` is what was spoken last. */
  readonly begin?: (deadlineAt: number, before: ProtocolRevision | null) => Promise<ProtocolRevision>;
}

/** A silent upstream holds up those who ask how to speak to it no longer than this. */
const MAX_DETECTION_MS = 10_000;

/**
 * How one upstream wants to be spoken to, and in which session: found out once for all calls that need it, and again once it is
 * forgotten. A session that other processes go on with is gone on with.
 */
export class NegotiatedProtocol {
  private known: ProtocolRevision | null = null;
  /** What was spoken until it was forgotten, or doubted: then it may go on. */
  private before: { revision: ProtocolRevision; mayGoOn: boolean } | null = null;
  private detecting: Promise<ProtocolRevision> | null = null;
  /** The credentials that the detection under way began with. */
  private detectingAs = '';
  /** The upstream did not bear the question of the stateless revision: it is not asked again before it has shown to be another. */
  private mayProbe = true;
  private replaced = false;

  constructor(
    private readonly transport: JsonRpcTransport,
    private readonly deadlineMs: number,
    private readonly sharing: Sharing = { place: null },
  ) {}

  /** Null while it is not known. */
  get current(): ProtocolRevision | null {
    return this.known;
  }

  get isOwn(): boolean {
    return this.sharing.isOwn ?? false;
  }

  /** @throws UpstreamUnreachable */
  async find(deadline: Deadline): Promise<ProtocolRevision> {
    return this.known ?? (await this.detected(deadline));
  }

  /** Notes that its session is used now. */
  use(): void {
    this.sharing.place?.use();
  }

  /** Whether a session was begun in place of one that was lost, and nobody was told yet; from now on somebody was. */
  takeReplaced(): boolean {
    const { replaced } = this;
    this.replaced = false;
    return replaced;
  }

  /** Something has answered that way: plain JSON-RPC is only assumed until then. */
  confirm(revision: ProtocolRevision): void {
    this.known ??= revision;
  }

  /** From now on it is spoken so, whatever was before. */
  adopt(revision: ProtocolRevision): void {
    this.known = revision;
    this.before = null;
  }

  /** Forgets `revision` unless a concurrent call has replaced it already. */
  forget(revision: ProtocolRevision): void {
    this.end(revision, false);
  }

  /** Its session may be over: whoever asks next makes sure, and begins another where it is. */
  doubt(revision: ProtocolRevision): void {
    this.end(revision, true);
  }

  private end(revision: ProtocolRevision, mayGoOn: boolean): void {
    if (this.known === revision) {
      this.known = null;
      this.before = { revision, mayGoOn };
    } else if (!mayGoOn && this.before?.revision === revision) this.before = { revision, mayGoOn };
  }

  /** One detection at a time, shared by all calls that wait for it; each waits no longer than its own deadline. */
  private detected(deadline: Deadline): Promise<ProtocolRevision> {
    // One that began with credentials that are no longer those of now may be refused for them.
    const shown = JSON.stringify(this.transport.headers);
    if (this.detectingAs !== shown) this.detecting = null;
    if (!this.detecting) {
      const ms = deadline.detectionMs ?? Math.min(this.deadlineMs, MAX_DETECTION_MS);
      const detecting = this.detect(performance.now() + ms)
        .then((revision) => {
          this.before = null;
          if (revision.kind !== 'plain') this.known = revision;
          else this.mayProbe = true;
          return revision;
        })
        .catch((error: unknown) => {
          throw explained(unreachable(error), deadline.detectionMs === undefined ? ms : null);
        })
        .finally(() => {
          if (this.detecting === detecting) {
            this.detecting = null;
            this.detectingAs = '';
          }
        });
      this.detecting = detecting;
      this.detectingAs = shown;
    }
    return withDeadline(this.detecting, {
      ms: deadline.deadlineAt - performance.now(),
      signal: deadline.signal,
      error: (why) => new UpstreamUnreachable(why, { sent: false }),
    });
  }

  /** What goes on, or is found out anew; what was before stays known while neither can be told. */
  private async detect(deadlineAt: number): Promise<ProtocolRevision> {
    const { before } = this;
    if (before?.mayGoOn && (await answersPing(this.transport, before.revision, deadlineAt))) return before.revision;
    const probe = { isAllowed: this.mayProbe, hasFailed: () => void (this.mayProbe = false) };
    const { place, begin = (until, last) => detectRevision(this.transport, until, last, probe) } = this.sharing;
    if (!place) return begin(deadlineAt, before?.revision ?? null);
    if (before && isSession(before.revision)) await place.lose(before.revision);
    const { session, lost } = await place.find();
    if (session) return session;
    const begun = await begin(deadlineAt, before?.revision ?? null);
    // Where an upstream begins one session alone, another process may have it by now.
    if (!isSession(begun)) return (await place.find()).session ?? begun;
    const kept = await place.keep(begun);
    if (kept.sessionId !== begun.sessionId) this.transport.endSession(begun);
    else this.replaced = lost;
    return kept;
  }
}

export function isSession(revision: ProtocolRevision): revision is UpstreamSession {
  return inSession(revision);
}

/** @param ms how long there was where the upstream has no time of its own */
function explained(error: unknown, ms: number | null): unknown {
  if (ms === null || !(error instanceof UpstreamUnreachable) || error.reason !== 'timeout') return error;
  return error.with(`within ${ms / 1000} s, for which the upstream can have a timeout of its own`);
}
