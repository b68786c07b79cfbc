import { withDeadline } from '@haldir/kernel';
import { type JsonObject } from '@haldir/mcp';
import { inSession } from './after-failure.js';
import { type Elicitation, type ProtocolRevision } from './mcp-protocol.js';
import { detectRevision } from './protocol-detection.js';
import { type SessionPlace, type UpstreamSession } from './session-place.js';
import { mayBeAnEnd, type Pulse, pulseOf } from './session-pulse.js';
import { unreachable, UpstreamUnreachable } from './mcp-client.errors.js';
import { type UpstreamTransport } from './upstream-transport.js';

/** For how long someone waits at most. */
export interface Deadline {
  /** By `performance.now()`. */
  readonly deadlineAt: number;
  readonly signal?: AbortSignal | undefined;
  /** For finding out, of an upstream that has a time of its own for that. */
  readonly detectionMs?: number | undefined;
  /** What the server of a connector may ask in a session that is begun for whoever waits. */
  readonly elicitation?: Pick<Elicitation, 'capability'> | undefined;
}

export interface Sharing {
  /** Where its session is kept for other processes; null where it is this client's alone. */
  readonly place: SessionPlace | null;
  /** Whether the session is that of one Haldir session: who loses it is told. */
  readonly isOwn?: boolean;
  /** Begins a session, in place of finding out how to speak. */
  readonly begin?: (deadlineAt: number, elicitation: JsonObject | undefined) => Promise<ProtocolRevision>;
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
  /** The last session that the upstream said no to, whatever was asked in it. */
  private refused: ProtocolRevision | null = null;

  constructor(
    private readonly transport: UpstreamTransport,
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
    if (this.known) return;
    this.known = revision;
    this.before = null;
  }

  /** Whether nothing is processed in that session any more: the upstream has refused what was asked in it since. */
  hasRefused(revision: ProtocolRevision): boolean {
    return this.refused === revision;
  }

  /** From now on it is spoken so, whatever was before. */
  adopt(revision: ProtocolRevision): void {
    this.known = revision;
    this.before = null;
  }

  /** Forgets `revision` unless a concurrent call has replaced it already. */
  forget(revision: ProtocolRevision): void {
    this.refused = revision;
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
      const detecting = this.detect(performance.now() + ms, deadline.elicitation?.capability)
        .then((revision) => {
          if (revision.kind !== 'plain') {
            this.known = revision;
            this.before = null;
          } else this.mayProbe = true;
          return revision;
        })
        .catch((error: unknown) => {
          throw unsent(explained(unreachable(error), deadline.detectionMs === undefined ? ms : null));
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

  /**
   * What goes on, or is found out anew. What was before stays known, here and to other processes, until there is another: an
   * upstream that cannot be reached, or lets nobody in, has said nothing of it.
   */
  private async detect(deadlineAt: number, elicitation?: JsonObject): Promise<ProtocolRevision> {
    const { before } = this;
    const session = before && inSession(before.revision) ? before.revision : null;
    const pulse = session && before?.mayGoOn ? await pulseOf(this.transport, session, deadlineAt) : 'over';
    if (session && pulse === 'alive') return this.goingOn(session);
    if (pulse instanceof UpstreamUnreachable) {
      if (!mayBeAnEnd(pulse)) throw pulse;
    } else this.refused = session;
    const { place } = this.sharing;
    const found = await place?.find();
    if (found?.session && found.session.epoch !== session?.epoch) return found.session;
    const begun = await this.begin(deadlineAt, before?.revision ?? null, elicitation);
    if (!inSession(begun)) {
      if (pulse instanceof UpstreamUnreachable) throw pulse;
      if (session && begun.kind !== 'plain') await place?.lose(session);
      // Where an upstream begins one session alone, another process may have it by now.
      const other = (await place?.find())?.session;
      return other && other.epoch !== session?.epoch ? other : begun;
    }
    if (session && pulse !== 'over' && (await this.goesOn(session, begun, deadlineAt))) return this.goingOn(session);
    return this.replace(session, begun, found?.lost ?? false);
  }

  private begin(
    deadlineAt: number,
    before: ProtocolRevision | null,
    elicitation: JsonObject | undefined,
  ): Promise<ProtocolRevision> {
    if (this.sharing.begin) return this.sharing.begin(deadlineAt, elicitation);
    const probe = { isAllowed: this.mayProbe, hasFailed: () => void (this.mayProbe = false) };
    return detectRevision(this.transport, deadlineAt, before, probe);
  }

  /**
   * Asked once more now that the upstream has shown to be there, by beginning another: whether the session goes on after all.
   *
   * @throws UpstreamUnreachable while that cannot be told
   */
  private async goesOn(session: UpstreamSession, another: UpstreamSession, deadlineAt: number): Promise<boolean> {
    const pulse: Pulse = await pulseOf(this.transport, session, deadlineAt);
    const isUnknown = pulse instanceof UpstreamUnreachable && !mayBeAnEnd(pulse);
    if (pulse !== 'alive' && !isUnknown) return false;
    if (another.sessionId !== session.sessionId) this.transport.endSession(another);
    if (isUnknown) throw pulse;
    return true;
  }

  /** What it refused before was about what was asked, and is no word on what comes. */
  private goingOn(session: UpstreamSession): UpstreamSession {
    if (this.refused === session) this.refused = null;
    return session;
  }

  /** @param over null where there was none before, or none that is known here */
  private async replace(over: UpstreamSession | null, begun: UpstreamSession, lost: boolean): Promise<UpstreamSession> {
    const { place } = this.sharing;
    const mayLinger = this.before?.mayGoOn ?? false;
    if (over) await place?.lose(over);
    const kept = (await place?.keep(begun)) ?? begun;
    if (kept.sessionId !== begun.sessionId) this.transport.endSession(begun);
    else this.replaced = lost || over !== null;
    // Nobody goes on with it; whether the upstream has ended it is not certain.
    if (over && mayLinger && over.sessionId !== kept.sessionId) this.transport.endSession(over);
    return kept;
  }
}

/** Nothing that comes before a call is the call. */
export function unsent(error: unknown): unknown {
  return error instanceof UpstreamUnreachable ? error.unsent() : error;
}

/** @param ms how long there was where the upstream has no time of its own */
function explained(error: unknown, ms: number | null): unknown {
  if (ms === null || !(error instanceof UpstreamUnreachable) || error.reason !== 'timeout') return error;
  return error.within(ms);
}
