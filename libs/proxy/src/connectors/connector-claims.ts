import { type Writable } from 'node:stream';
import { type BeforeApplicationShutdown, Injectable, type OnApplicationShutdown } from '@nestjs/common';
import { Unauthenticated } from '@haldir/http';
import { Log, Metrics } from '@haldir/runtime';
import { ConnectorExchangeRepository, type ExchangePlace, type Taken } from './connector-exchange.repository.js';
import { ConnectorNotices } from './connector-notices.js';
import { type ClaimPlace, ClaimPlaces } from './claim-places.js';
import { LeaseLost } from './connectors.errors.js';
import { type CarriedRequest, ExchangeSeal } from './exchange-seal.js';
import { ConnectorAnswers } from './connector-answers.js';

/** A claim by a connector, with the key that it was made with. */
export interface NewClaim {
  tenantId: string;
  upstream: string;
  instance: string;
  /** Public id of its key. */
  keyId: string;
  /** Exchanges at most. */
  most: number;
  waitMs: number;
}

/** What a claim is given. */
export interface Claimed {
  exchanges: (CarriedRequest & { id: string; deadlineMs: number })[];
  /** Nobody waits for these any more. */
  cancelled: string[];
}

interface WaitingClaim {
  claim: NewClaim;
  place: ClaimPlace;
  resolve: (claimed: Claimed) => void;
  reject: (error: Error) => void;
  /** Something may just be given to it: it does not end before that is known. */
  isServed: boolean;
  /** Its time is over. */
  isDue: boolean;
  /** Whoever made it has gone. */
  isGone: boolean;
}

/** What is given at once, unless one request alone is larger. */
const MAX_BYTES = 4 * 1024 * 1024;
/** What was told by a notice is found without one after this. */
const LOOK_EVERY_MS = 2_000;
/** What was delivered is noted after about this. */
const NOTE_AFTER_MS = 1_000;
/** An answer that leaves for longer is noted before it has left whole: its process is there. */
const SLOW_MS = 1_000;
const NOTHING: Claimed = { exchanges: [], cancelled: [] };

/** Connectors that wait for requests, at this process. */
@Injectable()
export class ConnectorClaims implements BeforeApplicationShutdown, OnApplicationShutdown {
  /** By upstream, in their order. */
  private readonly waiting = new Map<string, WaitingClaim[]>();
  /** Instances that are being served, and whether there may be more for them by now. */
  private readonly serving = new Map<string, { again: boolean }>();
  private readonly places = new ClaimPlaces();
  private looks: NodeJS.Timeout | null = null;
  /** Given in answers that have left, and not noted yet. */
  private noting: ExchangePlace[] = [];
  private notes: NodeJS.Timeout | null = null;
  private ending = false;

  constructor(
    private readonly repository: ConnectorExchangeRepository,
    private readonly notices: ConnectorNotices,
    private readonly answers: ConnectorAnswers,
    private readonly seal: ExchangeSeal,
    private readonly log: Log,
    metrics: Metrics,
  ) {
    metrics.gauge('haldir_connector_claims_waiting', 'Claims of connectors that wait at this process', [], () =>
      Promise.resolve([[{}, this.places.count]]),
    );
  }

  /**
   * Waits until there is something for the instance, the time is over or `gone`; what is given is given to nobody else.
   *
   * @throws LeaseLost, TooManyClaims; Unauthenticated when the key has ended meanwhile; Unavailable
   */
  async claim(claim: NewClaim, gone: AbortSignal): Promise<Claimed> {
    await this.notices.hearAsked(([upstream, instance]) => this.wake(upstream, instance));
    if (this.ending || gone.aborted) return NOTHING;
    const place = this.places.enter(claim);
    const key = ConnectorNotices.keyOf(claim.tenantId, claim.upstream);
    return new Promise<Claimed>((resolve, reject) => {
      const done = (): void => {
        clearTimeout(timer);
        gone.removeEventListener('abort', onGone);
        place.leave();
        this.leave(key, waiting);
      };
      const waiting: WaitingClaim = {
        claim,
        place,
        isServed: false,
        isDue: false,
        isGone: false,
        resolve: (claimed) => {
          done();
          resolve(claimed);
        },
        reject: (error) => {
          done();
          reject(error);
        },
      };
      const giveUp = (): void => {
        waiting.isDue = true;
        if (!waiting.isServed) waiting.resolve(NOTHING);
      };
      const onGone = (): void => {
        waiting.isGone = true;
        giveUp();
      };
      const timer = setTimeout(giveUp, claim.waitMs);
      gone.addEventListener('abort', onGone, { once: true });
      this.enter(key, waiting);
      this.serve(key, claim.instance);
    });
  }

  /**
   * Follows the answer that gives something away. What it gives is with its connector once it has left whole, and is over where it
   * did not; what is never said to be with its connector may have been lost with its process.
   */
  follow(claim: NewClaim, claimed: Claimed, answer: Writable): void {
    if (claimed.exchanges.length === 0) return;
    if (answer.destroyed) {
      void this.lost(claim, claimed);
      return;
    }
    const slow = setTimeout(() => this.delivered(claim, claimed), SLOW_MS).unref();
    answer.once('close', () => {
      clearTimeout(slow);
      if (answer.writableFinished) this.delivered(claim, claimed);
      else void this.lost(claim, claimed);
    });
  }

  /** What was given in an answer that did not arrive is over: nobody is given it again. */
  private async lost(claim: NewClaim, { exchanges }: Claimed): Promise<void> {
    const broken = { seq: 0, data: '', last: true, failed: 'reset' } as const;
    await this.answers
      .take(
        claim,
        exchanges.map(({ id }) => ({ id, ...broken })),
      )
      .catch((error: unknown) => {
        this.log.warn({ event: 'proxy.claim_lost', reason: (error as Error).message });
      });
  }

  private delivered({ tenantId }: NewClaim, { exchanges }: Claimed): void {
    this.noting.push(...exchanges.map(({ id }) => ({ tenantId, id })));
    this.notes ??= setTimeout(() => void this.note(), NOTE_AFTER_MS).unref();
  }

  async onApplicationShutdown(): Promise<void> {
    if (this.notes) await this.note();
  }

  beforeApplicationShutdown(): void {
    this.ending = true;
    for (const all of [...this.waiting.values()])
      for (const waiting of [...all]) {
        waiting.isDue = true;
        if (!waiting.isServed) waiting.resolve(NOTHING);
      }
  }

  /** Most of them are answered by now. */
  private async note(): Promise<void> {
    if (this.notes) clearTimeout(this.notes);
    this.notes = null;
    const noted = this.noting.splice(0);
    await this.repository.noteDelivered(noted).catch((error: unknown) => {
      this.log.debug({ event: 'proxy.claims_unnoted', reason: (error as Error).message });
      if (this.ending) return;
      this.noting.unshift(...noted);
      this.notes ??= setTimeout(() => void this.note(), NOTE_AFTER_MS).unref();
    });
  }

  private enter(key: string, waiting: WaitingClaim): void {
    const all = this.waiting.get(key);
    if (all) all.push(waiting);
    else this.waiting.set(key, [waiting]);
    this.looks ??= setInterval(() => void this.look(), LOOK_EVERY_MS).unref();
  }

  private leave(key: string, waiting: WaitingClaim): void {
    const left = this.waiting.get(key)?.filter((each) => each !== waiting) ?? [];
    if (left.length > 0) this.waiting.set(key, left);
    else this.waiting.delete(key);
    if (this.waiting.size > 0 || !this.looks) return;
    clearInterval(this.looks);
    this.looks = null;
  }

  private wake(key: string, instance: string): void {
    const all = this.waiting.get(key);
    if (!all) return;
    const instances = instance === '' ? new Set(all.map(({ claim }) => claim.instance)) : [instance];
    for (const each of instances) this.serve(key, each);
  }

  /** One statement at a time for each instance: what comes meanwhile is in the next. */
  private serve(key: string, instance: string): void {
    const name = `${key} ${instance}`;
    const before = this.serving.get(name);
    if (before) {
      before.again = true;
      return;
    }
    const state = { again: false };
    this.serving.set(name, state);
    // Gone in the turn in which it ends: whoever comes in the next is served.
    void this.serveAll(key, instance, state, () => this.serving.delete(name));
  }

  private async serveAll(key: string, instance: string, state: { again: boolean }, done: () => void): Promise<void> {
    do {
      state.again = false;
      const waiting = this.firstOf(key, instance);
      if (!waiting) break;
      waiting.isServed = true;
      try {
        const taken = await this.repository.take(waiting.claim, waiting.claim.most, MAX_BYTES);
        waiting.isServed = false;
        this.give(key, waiting, taken);
        state.again ||= taken.more || taken.exchanges.length === waiting.claim.most;
      } catch (error) {
        waiting.reject(error as Error);
        state.again = true;
      }
    } while (state.again);
    done();
  }

  private give(key: string, waiting: WaitingClaim, { hasKey, hasLease, cancelled, exchanges }: Taken): void {
    if (hasLease) waiting.place.known();
    if (!hasKey) waiting.reject(new Unauthenticated());
    else if (!hasLease) waiting.reject(new LeaseLost());
    else if (exchanges.length > 0 || cancelled.length > 0) {
      const claimed = { exchanges: exchanges.map((one) => this.opened(waiting.claim, one)), cancelled };
      if (!waiting.isGone) waiting.resolve(claimed);
      else {
        waiting.resolve(NOTHING);
        // Whoever has gone meanwhile leaves it to another claim of the same instance.
        const other = this.firstOf(key, waiting.claim.instance);
        if (other) other.resolve(claimed);
        else void this.lost(waiting.claim, claimed);
      }
    } else if (waiting.isDue) waiting.resolve(NOTHING);
  }

  private opened({ tenantId }: NewClaim, { id, sealed, ms }: Taken['exchanges'][number]): Claimed['exchanges'][number] {
    return { ...this.seal.openRequest(tenantId, id, sealed), id, deadlineMs: ms };
  }

  private firstOf(key: string, instance: string): WaitingClaim | undefined {
    return this.waiting.get(key)?.find(({ claim }) => claim.instance === instance);
  }

  private async look(): Promise<void> {
    const upstreams = new Map(
      [...this.waiting].flatMap(([key, [first]]) => (first ? [[key, first.claim] as const] : [])),
    );
    try {
      for (const { tenantId, upstream } of await this.repository.due([...upstreams.values()]))
        this.wake(ConnectorNotices.keyOf(tenantId, upstream), '');
    } catch (error) {
      this.log.debug({ event: 'proxy.claims_unseen', reason: (error as Error).message });
    }
  }
}
