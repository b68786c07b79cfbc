import { type JsonObject } from '@haldir/mcp';
import { type ProtocolRevision, streamOf } from './mcp-protocol.js';
import { type Deadline, NegotiatedProtocol, type Sharing, unsent } from './negotiated-protocol.js';
import { inSession } from './after-failure.js';
import { beginSession } from './protocol-detection.js';
import { type SessionPlace, type SessionPlaces, type SessionsOf, type UpstreamSession } from './session-place.js';
import { type Pulse, pulseOf } from './session-pulse.js';
import { UpstreamUnreachable } from './mcp-client.errors.js';
import { type UpstreamTransport } from './upstream-transport.js';

/** Sessions of Haldir that a process remembers the upstream's session of; others are looked up. */
const MAX_OWN = 20_000;
/** Those that are not used for so long are looked up again. */
const IDLE_MS = 10 * 60_000;

/**
 * The sessions with one upstream. Where it begins one for each who asks, every session of Haldir has its own, which is begun when
 * it is needed first; discovery and health have another, which is everybody's where the upstream begins no second.
 */
export class SessionProtocols {
  readonly shared: NegotiatedProtocol;
  /** Order of the map is order of use. */
  private readonly own = new Map<string, { protocol: NegotiatedProtocol; usedAt: number }>();
  /** Whose sessions the upstream begins, as of one session with it. */
  private answer: { revision: ProtocolRevision; whose: Promise<SessionsOf> } | null = null;

  constructor(
    private readonly transport: UpstreamTransport,
    private readonly deadlineMs: number,
    private readonly places: SessionPlaces | null,
  ) {
    this.shared = new NegotiatedProtocol(transport, deadlineMs, { place: places?.shared ?? null });
  }

  /**
   * How to speak for a session of Haldir.
   *
   * @param sessionId left out for what is asked for no session
   * @throws UpstreamUnreachable
   */
  async for(sessionId: string | undefined, deadline: Deadline): Promise<NegotiatedProtocol> {
    const { places, shared } = this;
    if (sessionId === undefined || !places) return shared;
    const revision = await shared.find(deadline);
    if (!inSession(revision)) return shared;
    if ((await this.whose(deadline)) !== 'own') return shared;
    const kept = this.own.get(sessionId)?.protocol;
    if (kept) this.own.delete(sessionId);
    else this.forgetIdle();
    const protocol = kept ?? new NegotiatedProtocol(this.transport, this.deadlineMs, this.ownIn(places.of(sessionId)));
    protocol.use();
    this.own.set(sessionId, { protocol, usedAt: performance.now() });
    return protocol;
  }

  /**
   * Whose sessions the upstream begins. Where nobody knows, a second one is begun: it may be refused, or end the first.
   *
   * @throws UpstreamUnreachable
   */
  async whose(deadline: Deadline): Promise<SessionsOf> {
    const revision = await this.shared.find(deadline);
    if (this.answer?.revision === revision) return this.answer.whose;
    const whose = this.findOut(revision, deadline.deadlineAt).catch((error: unknown) => {
      throw unsent(error);
    });
    const answer = { revision, whose };
    this.answer = answer;
    whose.catch(() => {
      if (this.answer === answer) this.answer = null;
    });
    return whose;
  }

  private async findOut(revision: ProtocolRevision, deadlineAt: number): Promise<SessionsOf> {
    const { places } = this;
    const known = (await places?.whose()) ?? null;
    // Its session is its stream: one in each process, for everybody.
    if (streamOf(revision)) return known === 'shared' || !places ? 'shared' : places.found('shared');
    if (!inSession(revision)) return known === 'none' || !places ? 'none' : places.found('none');
    if (known !== null && known !== 'none') return known;
    const found = await this.tryAnother(revision, deadlineAt);
    return places ? places.found(found) : found;
  }

  /** What is found out holds for as long as the upstream is registered, so that nothing is taken for it but what says it. */
  private async tryAnother(first: UpstreamSession, deadlineAt: number): Promise<SessionsOf> {
    const { transport } = this;
    // Lost before is not lost to the second; and a refusal may be a slip.
    const before = await pulseOf(transport, first, deadlineAt);
    if (before !== 'alive') throw this.notKnown(first, before);
    const second = (await beginSession(transport, deadlineAt)) ?? (await beginSession(transport, deadlineAt));
    if (!second || !inSession(second) || second.sessionId === first.sessionId) return 'shared';
    const pulse = await pulseOf(transport, first, deadlineAt);
    // One that says no to everything has an end, where it does not say the same in the second.
    const isOver =
      pulse === 'over' || (pulse === 'refused' && (await pulseOf(transport, second, deadlineAt)) === 'alive');
    if (!isOver) {
      transport.endSession(second);
      if (pulse === 'alive') return 'own';
      throw this.notKnown(first, pulse);
    }
    const place = this.places?.shared;
    await place?.lose(first);
    const kept = (await place?.keep(second)) ?? second;
    this.shared.adopt(kept);
    this.answer = { revision: kept, whose: Promise.resolve('shared') };
    return 'shared';
  }

  /** It is tried again by whoever needs to know next. */
  private notKnown(first: UpstreamSession, pulse: Pulse): UpstreamUnreachable {
    if (pulse instanceof UpstreamUnreachable) return pulse;
    this.shared.doubt(first);
    return new UpstreamUnreachable('session', { sent: false });
  }

  /** Makes room for one more. */
  private forgetIdle(): void {
    const oldestKept = performance.now() - IDLE_MS;
    for (const [sessionId, { usedAt }] of this.own) {
      if (usedAt > oldestKept && this.own.size < MAX_OWN) break;
      this.own.delete(sessionId);
    }
  }

  private ownIn(place: SessionPlace): Sharing {
    return { place, isOwn: true, begin: (deadlineAt, elicitation) => this.begin(deadlineAt, elicitation) };
  }

  private async begin(deadlineAt: number, elicitation: JsonObject | undefined): Promise<ProtocolRevision> {
    const begun = await beginSession(this.transport, deadlineAt, elicitation);
    if (begun && inSession(begun)) return begun;
    const { current } = this.shared;
    if (current) {
      // It is another server by now, or begins no more.
      if (begun) this.shared.forget(current);
      else this.shared.doubt(current);
    }
    throw new UpstreamUnreachable('session', { sent: false });
  }
}
