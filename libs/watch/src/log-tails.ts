import { setTimeout as pause } from 'node:timers/promises';
import { type BeforeApplicationShutdown, Injectable } from '@nestjs/common';
import { InvalidInput } from '@haldir/kernel';
import {
  type AuditEntry,
  type AuditFilter,
  AuditTrailRepository,
  type FoundEntries,
  type Stretch,
} from './audit-trail.repository.js';
import { TooManyTails } from './watch.errors.js';

/** How often the end of a log is looked at that somebody follows. */
const EVERY_MS = 500;
/** Entries that are read together, and how long nobody reads of the same log after that: others have their turns. */
const AT_ONCE = 100;
const REST_MS = 25;
/** Open in a process at most, those of one tenant, and those of one key or person. */
const MAX_OPEN = 1_000;
const MAX_OF_TENANT = 64;
const MAX_OF_ACTOR = 16;

/** Who follows a log, and which entries. */
export interface Follower {
  tenantId: string;
  actorId: string;
  filter: AuditFilter;
  /** Position of the last entry that is known already; null for none. */
  after: number | null;
  /** Aborted when nobody listens any more. */
  signal: AbortSignal;
}

/** A step along a log. */
export interface Step {
  /** That pass the filter, oldest first; none as long as there are none. The same objects for all who are told of them together. */
  entries: readonly AuditEntry[];
  /** Up to which, and without it, the log was looked at. */
  position: number;
}

/** Logs as they grow. Nothing is kept for who does not listen: an entry is read again for whoever comes back and asks from a position on. */
@Injectable()
export class LogTails implements BeforeApplicationShutdown {
  private readonly open = new Set<Follower>();
  /** Of each log that is followed, the next look at its end, which all who follow it wait for. */
  private readonly looks = new Map<string, Promise<number>>();
  private readonly turns = new Map<string, Promise<unknown>>();
  /** What is being read, for all who ask for the same: those who have heard everything do. */
  private readonly reads = new Map<string, Promise<FoundEntries>>();
  private readonly ending = new AbortController();

  constructor(private readonly trail: AuditTrailRepository) {}

  /** Streams end before the process does. */
  beforeApplicationShutdown(): void {
    this.ending.abort();
  }

  /**
   * What is appended from now on; with `after`, or with a filter that begins somewhere, what is there from then on as well. A step is
   * taken whenever there are entries, and else about twice a second. Ends with the signal, and with the process.
   *
   * @throws TooManyTails; InvalidInput where the log does not have `after`
   */
  async follow(follower: Follower): Promise<AsyncGenerator<Step>> {
    const { tenantId, filter, after, signal } = follower;
    if (!this.hasRoomFor(follower)) throw new TooManyTails();
    this.open.add(follower);
    signal.addEventListener('abort', () => this.open.delete(follower), { once: true });
    try {
      const size = await this.trail.size(tenantId);
      if (after !== null && after >= size)
        throw new InvalidInput('Last-Event-ID: expected the id of an event of this log');
      return this.steps(follower, after !== null ? after + 1 : filter.since ? 0 : size, size);
    } catch (error) {
      this.open.delete(follower);
      throw error;
    } finally {
      if (signal.aborted) this.open.delete(follower);
    }
  }

  private async *steps({ tenantId, filter, signal }: Follower, from: number, known: number): AsyncGenerator<Step> {
    let [position, size] = [from, known];
    const isOver = (): boolean => signal.aborted || this.ending.signal.aborted;
    if (position === size) yield { entries: [], position };
    while (!isOver()) {
      while (position < size && !isOver()) {
        const stretch = { from: position, to: size };
        const { entries, lookedTo } = await this.read(tenantId, filter, stretch);
        const last = entries.length < AT_ONCE ? lookedTo : (entries.at(-1)?.seq ?? null);
        position = last === null ? size : last + 1;
        yield { entries, position };
      }
      size = await this.nextSizeOf(tenantId);
      yield { entries: [], position };
    }
  }

  private hasRoomFor({ tenantId, actorId }: Follower): boolean {
    let [ofTenant, ofActor] = [0, 0];
    for (const each of this.open) {
      if (each.tenantId !== tenantId) continue;
      ofTenant++;
      if (each.actorId === actorId) ofActor++;
    }
    return (
      this.open.size < MAX_OPEN && ofTenant < MAX_OF_TENANT && ofActor < MAX_OF_ACTOR && !this.ending.signal.aborted
    );
  }

  private nextSizeOf(tenantId: string): Promise<number> {
    const next =
      this.looks.get(tenantId) ??
      pause(EVERY_MS, undefined, { ref: false })
        .finally(() => this.looks.delete(tenantId))
        .then(() => this.trail.size(tenantId));
    this.looks.set(tenantId, next);
    return next;
  }

  private read(tenantId: string, filter: AuditFilter, stretch: Stretch): Promise<FoundEntries> {
    const what = JSON.stringify([tenantId, filter, stretch]);
    const reading =
      this.reads.get(what) ??
      this.inTurn(tenantId, () => this.trail.oldest(tenantId, filter, stretch, AT_ONCE)).finally(() =>
        this.reads.delete(what),
      );
    this.reads.set(what, reading);
    return reading;
  }

  private inTurn<T>(tenantId: string, read: () => Promise<T>): Promise<T> {
    const reading = (this.turns.get(tenantId) ?? Promise.resolve()).then(read);
    const rested = reading
      .catch(() => undefined)
      .then(() => pause(REST_MS, undefined, { ref: false }))
      .then(() => {
        if (this.turns.get(tenantId) === rested) this.turns.delete(tenantId);
      });
    this.turns.set(tenantId, rested);
    return reading;
  }
}
