import { setImmediate as others, setTimeout as pause } from 'node:timers/promises';
import { type BeforeApplicationShutdown, Injectable, type OnApplicationBootstrap } from '@nestjs/common';
import { type Session, SessionService } from '@haldir/gate';
import { type Caller, Callers, type HaldirRequest } from '@haldir/http';
import { Notices } from '@haldir/database';
import { Log } from '@haldir/runtime';
import { CHANGING_LISTS, type ChangingList, ListDigests, type ShownLists } from './list-digests.js';

/** Sent by the database itself, with the tenant's id, when what its lists are made of is written. */
const CHANNEL = 'haldir_lists_changed';
/** Open in a process at most, those of one tenant, and those of one key. */
const MAX_OPEN = 5_000;
const MAX_OF_TENANT = 1_000;
const MAX_OF_KEY = 32;
/** What is written within this time is one change. */
const GATHER_MS = 250;
/** A tenant whose lists change without end is looked at no more often. */
const EVERY_MS = 1_000;
/** How soon a stream ends whose key or session has. */
const LOOK_EVERY_MS = 2_000;
/** Of those looks, each so many looks at the lists as well: a notice may get lost. */
const LOOKS_BETWEEN_LISTS = 15;

/** Streams whose keys and sessions are asked for together. */
const KEYS_AT_ONCE = 256;
/** And their lists: all may differ, and nobody else has a turn before each of these has had one of 4 ms. */
const LISTS_AT_ONCE = 16;

/** Where a client is told. */
export interface ChangeListener {
  /** Of a request that stays open. */
  request: HaldirRequest;
  sessionId: string;
  wants: ReadonlySet<ChangingList>;
  /** What the client knows of; null for what it is shown when the stream is opened. */
  known: ShownLists | null;
  /** @param shown what the client knows of with this */
  tell(list: ChangingList, shown: ShownLists): void;
  /** Aborted when nobody listens any more. */
  signal: AbortSignal;
}

interface Stream extends ChangeListener {
  tenantId: string;
  keyId: string;
  /** What the client knows of; null until it does. */
  shown: ShownLists | null;
  /** Whether there was a look before that. */
  isLate: boolean;
  end(): void;
}

interface Pending {
  /** Whether there was another notice since the look began, or that look failed. */
  again: boolean;
}

/** More streams are open than may be. */
export class TooManyStreams extends Error {}

/** Streams on which clients are told that their lists have changed, whichever process has changed them. */
@Injectable()
export class ChangeStreams implements OnApplicationBootstrap, BeforeApplicationShutdown {
  private readonly open = new Set<Stream>();
  private readonly pending = new Map<string, Pending>();
  private timer: NodeJS.Timeout | null = null;
  private looks = 0;
  private isLooking = false;
  /** Whether notices may have got lost since the last look at all lists began. */
  private isBlind = false;
  private ending = false;

  constructor(
    private readonly digests: ListDigests,
    private readonly sessions: SessionService,
    private readonly callers: Callers,
    private readonly notices: Notices,
    private readonly log: Log,
  ) {}

  async onApplicationBootstrap(): Promise<void> {
    await this.notices.listen(
      CHANNEL,
      (tenantId) => this.note(tenantId),
      () => void this.lookAtAll(true),
    );
    this.timer = setInterval(() => void this.lookAtAll(false), LOOK_EVERY_MS).unref();
  }

  /** Streams end before the process does. */
  beforeApplicationShutdown(): void {
    this.ending = true;
    if (this.timer) clearInterval(this.timer);
    for (const stream of this.open) stream.end();
  }

  /**
   * Tells the listener of each change until it goes, or its key or session ends; resolves then.
   *
   * @param begun called once changes are told of, with what is shown by then
   * @throws TooManyStreams
   */
  async tell(
    caller: Caller,
    session: Session,
    listener: ChangeListener,
    begun: (shown: ShownLists) => void,
  ): Promise<void> {
    const { tenantId, id: keyId } = caller.actor;
    if (!this.hasRoomFor(tenantId, keyId)) throw new TooManyStreams();
    let end = (): void => undefined;
    const ended = new Promise<void>((resolve) => (end = resolve));
    const stream: Stream = { ...listener, tenantId, keyId, shown: null, isLate: false, end };
    this.open.add(stream);
    listener.signal.addEventListener('abort', end, { once: true });
    try {
      const shown = await this.digests.of(caller, session);
      stream.shown = listener.known ?? shown;
      begun(stream.shown);
      this.compare(stream, shown);
      if (stream.isLate && !(await this.look([stream], true))) this.note(tenantId);
      if (this.ending || listener.signal.aborted) end();
      await ended;
    } finally {
      this.open.delete(stream);
      listener.signal.removeEventListener('abort', end);
    }
  }

  private hasRoomFor(tenantId: string, keyId: string): boolean {
    let [ofTenant, ofKey] = [0, 0];
    for (const stream of this.open) {
      if (stream.tenantId !== tenantId) continue;
      ofTenant++;
      if (stream.keyId === keyId) ofKey++;
    }
    return this.open.size < MAX_OPEN && ofTenant < MAX_OF_TENANT && ofKey < MAX_OF_KEY && !this.ending;
  }

  /** Whoever may log in to the database can say anything here; it has somebody look, no more. */
  private note(tenantId: string): void {
    const before = this.pending.get(tenantId);
    if (before) before.again = true;
    else if (this.of(tenantId).length > 0) void this.lookAtTenant(tenantId);
  }

  private async lookAtTenant(tenantId: string): Promise<void> {
    const pending = { again: false };
    this.pending.set(tenantId, pending);
    try {
      await pause(GATHER_MS, undefined, { ref: false });
      do {
        pending.again = false;
        if (!(await this.look(this.of(tenantId), true))) pending.again = true;
        await pause(EVERY_MS, undefined, { ref: false });
      } while (pending.again && !this.ending);
    } finally {
      this.pending.delete(tenantId);
    }
  }

  /** @param atLists whether notices may have got lost */
  private async lookAtAll(atLists: boolean): Promise<void> {
    this.isBlind ||= atLists;
    if (this.isLooking) return;
    this.isLooking = true;
    try {
      let saw: boolean;
      do {
        const wasBlind = this.isBlind;
        this.isBlind = false;
        saw = await this.look([...this.open], ++this.looks % LOOKS_BETWEEN_LISTS === 0 || wasBlind);
      } while (this.isBlind && !this.ending);
      // The next look sees what this one has not; at once it would fail again.
      this.isBlind ||= !saw;
    } finally {
      this.isLooking = false;
    }
  }

  private of(tenantId: string): Stream[] {
    return [...this.open].filter((stream) => stream.tenantId === tenantId);
  }

  /**
   * Asks for the keys and sessions of all of them together, and then once for the lists of those that are shown the same. In parts, so
   * that everybody else has their turns, however many there are. Answers whether all lists were seen that were to be.
   */
  private async look(streams: readonly Stream[], atLists: boolean): Promise<boolean> {
    const failures: unknown[] = [];
    const inParts = async <Item>(items: readonly Item[], size: number, work: (item: Item) => Promise<void>) => {
      for (let at = 0; at < items.length; at += size) {
        const part = items.slice(at, at + size);
        await Promise.all(part.map((item) => work(item).catch((error: unknown) => void failures.push(error))));
        await others();
      }
    };
    const live: { stream: Stream; caller: Caller; session: Session }[] = [];
    await inParts(streams, KEYS_AT_ONCE, async (stream) => {
      const caller = await this.callers.standing(stream.request);
      const session = caller && (await this.sessions.findLive(caller.actor, stream.sessionId));
      if (session) live.push({ stream, caller, session });
      else stream.end();
    });
    if (atLists) {
      const shownTo = this.digests.together();
      await inParts(live, LISTS_AT_ONCE, async ({ stream, caller, session }) =>
        this.compare(stream, await shownTo(caller, session)),
      );
    }
    const [first] = failures;
    if (first !== undefined)
      this.log.warn({
        event: 'mcp.streams_not_looked_at',
        count: failures.length,
        reason: (first as Error).message,
      });
    return !atLists || failures.length === 0;
  }

  private compare(stream: Stream, shown: ShownLists): void {
    if (!this.open.has(stream)) return;
    if (!stream.shown) {
      stream.isLate = true;
      return;
    }
    for (const list of CHANGING_LISTS) {
      if (stream.shown[list] === shown[list]) continue;
      stream.shown = { ...stream.shown, [list]: shown[list] };
      if (stream.wants.has(list)) stream.tell(list, stream.shown);
    }
  }
}
