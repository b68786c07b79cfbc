import { Injectable, type OnApplicationShutdown } from '@nestjs/common';
import { Batcher, newId } from '@haldir/kernel';
import { EgressFailed, type EgressRequest } from '@haldir/egress';
import { Log, Metrics } from '@haldir/runtime';
import { UpstreamUnreachable } from '../mcp-client/index.js';
import {
  type ExchangeAdmission,
  ConnectorExchangeRepository,
  type ExchangePlace,
  type ExchangeState,
  type NewExchange,
} from './connector-exchange.repository.js';
import { ConnectorNotices } from './connector-notices.js';
import { ConnectorPartRepository, type KeptPart } from './connector-part.repository.js';
import { type CarriedPart, ExchangeSeal } from './exchange-seal.js';
import { type TunnelPlace, UnderWay } from './under-way.js';

/** What was told by a notice is found without one after this. */
const LOOK_EVERY_MS = 1_000;
/** How long a request that nobody waits for any more is held back until it is known whether it has left. */
const WITHDRAW_MS = 2_000;
/** The end of a row is put off by so much at least. */
const EXTEND_BY_MS = 1_000;
/** A process notes within a second what it has delivered, unless it died meanwhile: not in so many looks that found the database there. */
const LOOKS_UNDELIVERED = 10;

/**
 * Requests of this process that leave through connectors. Each is a row that one connector is given, once; what it answers comes
 * as rows, too, to whichever process, and is heard of by a notice.
 */
@Injectable()
export class ConnectorExchanges implements OnApplicationShutdown {
  private readonly underWay = new Map<string, UnderWay>();
  private looks: NodeJS.Timeout | null = null;
  private isLooking = false;
  private readonly asks = new Batcher<NewExchange, ExchangeAdmission>({
    maxBatch: 64,
    maxInFlight: 2,
    maxQueued: 4_096,
    run: (exchanges) => this.repository.ask(exchanges, ConnectorNotices.ofAsked(toAsked(exchanges))),
  });
  private readonly reads = new Batcher<ExchangePlace, KeptPart[]>({
    maxBatch: 64,
    maxInFlight: 2,
    maxQueued: 8_192,
    run: async (places) => {
      const found = await this.parts.read(places);
      return places.map(({ id }) => found.filter((part) => part.id === id));
    },
  });
  private readonly removals = new Batcher<ExchangePlace, undefined>({
    maxBatch: 256,
    maxInFlight: 1,
    maxQueued: 8_192,
    run: async (places) => {
      await this.repository.remove(places);
      return places.map(() => undefined);
    },
  });

  constructor(
    private readonly repository: ConnectorExchangeRepository,
    private readonly parts: ConnectorPartRepository,
    private readonly notices: ConnectorNotices,
    private readonly seal: ExchangeSeal,
    private readonly metrics: Metrics,
    private readonly log: Log,
  ) {}

  /**
   * Sends a request by way of whichever connector of the upstream takes it, or the one that has its session; resolves once it
   * waits there.
   *
   * @param wanted the instance that has its session; null for any
   * @throws EgressFailed, UpstreamUnreachable when it does not leave
   */
  async begin(place: TunnelPlace, wanted: string | null, request: EgressRequest): Promise<UnderWay> {
    if (request.signal?.aborted) throw new EgressFailed('aborted');
    const { tenantId, upstream } = place;
    const id = newId('cex');
    const deadlineAt = performance.now() + request.deadlineMs;
    await this.notices.hearAnswered(({ exchanges = [], left }) => {
      for (const each of exchanges) this.fetch(each);
      if (left !== undefined) void this.look(left);
    });
    const ms = Math.max(1, deadlineAt - performance.now());
    const sealed = this.seal.sealRequest(tenantId, id, carried(request));
    const admission = this.asks.submit({ tenantId, id, upstream, wanted, sealed, ms });
    const one = new UnderWay(id, place, request, ms, {
      giveUp: (reason) => void this.giveUp(one, admission, reason),
      settled: () => this.settled(one),
      extended: () => void this.putOff(one),
    });
    this.underWay.set(id, one);
    this.looks ??= setInterval(() => void this.look(), LOOK_EVERY_MS).unref();
    // Whatever is known first: that it waits, or that nobody waits for it.
    const admitted = await Promise.race([admission.catch((error: unknown) => this.unknown(error)), one.givenUp]);
    if (admitted === 'waiting') {
      one.isAdmitted = true;
      return one;
    }
    if (admitted instanceof EgressFailed) throw one.fail(admitted);
    one.leave();
    this.metrics.countExchange(admitted);
    if (admitted === 'busy') throw new UpstreamUnreachable('busy', { sent: false, detail: BUSY });
    // A session that nobody has is over, as a server says so.
    if (wanted !== null) return one.answer(404);
    throw new EgressFailed('connect', { detail: noConnector(upstream) });
  }

  async onApplicationShutdown(): Promise<void> {
    if (this.looks) clearInterval(this.looks);
    for (const one of this.underWay.values()) await this.giveUp(one, Promise.resolve('waiting'), 'aborted');
  }

  /** That the statement failed says nothing of whether it was done. */
  private unknown(cause: unknown): EgressFailed {
    return new EgressFailed('reset', { sent: true, cause });
  }

  /** Nobody waits for it any more: whether it has left is known once no connector can be given it. */
  private async giveUp(
    one: UnderWay,
    admission: Promise<ExchangeAdmission>,
    reason: 'timeout' | 'aborted' | 'reset',
  ): Promise<void> {
    if (!one.beginEnd()) return;
    const { id } = one;
    const { tenantId, upstream } = one.place;
    const cancelled = admission
      .then(() => this.repository.cancel({ tenantId, id }, upstream))
      .catch((error: unknown) => {
        this.log.warn({ event: 'proxy.exchange_not_cancelled', reason: (error as Error).message });
        return true;
      });
    let timer: NodeJS.Timeout | undefined;
    const late = new Promise<boolean>((resolve) => {
      timer = setTimeout(() => resolve(true), WITHDRAW_MS);
    });
    const sent = await Promise.race([cancelled, late]);
    clearTimeout(timer);
    // What was not given away is of no use; what was stays until its connector was told.
    if (!sent) this.remove(one);
    const detail = reason === 'reset' && !sent ? { detail: noConnector(upstream) } : {};
    one.fail(new EgressFailed(reason === 'reset' && !sent ? 'connect' : reason, { sent, ...detail }));
  }

  private settled(one: UnderWay): void {
    this.underWay.delete(one.id);
    if (this.underWay.size === 0 && this.looks) {
      clearInterval(this.looks);
      this.looks = null;
    }
    if (one.outcome !== null) this.metrics.countExchange(one.outcome);
    if (one.end === 'answered') this.remove(one);
    // Its reader has left it, or has had too much of it.
    else if (one.end === 'left')
      void this.repository
        .cancel({ tenantId: one.place.tenantId, id: one.id }, one.place.upstream)
        .catch((error: unknown) =>
          this.log.warn({ event: 'proxy.exchange_not_cancelled', reason: (error as Error).message }),
        );
  }

  private remove({ id, place: { tenantId } }: UnderWay): void {
    // What is left is purged.
    void this.removals.submit({ tenantId, id }).catch(() => undefined);
  }

  /** Puts off the end of its row until its answer is not waited for any more; what fails is tried again with the next look. */
  private async putOff(one: UnderWay): Promise<void> {
    if (one.isPuttingOff) return;
    one.isPuttingOff = true;
    try {
      while (one.isWaiting && one.deadlineAt - one.endsAt >= EXTEND_BY_MS) {
        const { deadlineAt, id, place } = one;
        await this.repository.extend({ tenantId: place.tenantId, id }, deadlineAt - performance.now());
        one.endsAt = deadlineAt;
      }
    } catch (error) {
      this.log.debug({ event: 'proxy.exchange_not_put_off', reason: (error as Error).message });
    } finally {
      one.isPuttingOff = false;
    }
  }

  /** Reads of one exchange follow each other, so that its parts come in their order. */
  private fetch(id: string): void {
    const one = this.underWay.get(id);
    if (!one) return;
    if (one.reading) one.reading.again = true;
    else void this.read(one);
  }

  private async read(one: UnderWay): Promise<void> {
    const reading: { again: boolean } = { again: true };
    one.reading = reading;
    while (reading.again && one.isWaiting) {
      reading.again = false;
      try {
        this.deliver(one, await this.reads.submit({ tenantId: one.place.tenantId, id: one.id }));
      } catch (error) {
        // The next look finds it.
        this.log.debug({ event: 'proxy.exchange_unread', reason: (error as Error).message });
      }
    }
    one.reading = null;
  }

  private deliver(one: UnderWay, parts: readonly KeptPart[]): void {
    for (const { tenantId, id, seq, sealed } of parts) {
      let part: CarriedPart;
      try {
        part = this.seal.openPart(tenantId, id, seq, sealed);
      } catch (error) {
        // The connector is told that nobody waits for it.
        one.end = 'left';
        one.fail(new EgressFailed('protocol', { sent: true, cause: error }));
        return;
      }
      one.take(seq, part);
    }
  }

  /** Finds what no notice told of: parts that are there, and connectors that are not. @param left only of this upstream */
  private async look(left?: string): Promise<void> {
    if (this.isLooking && left === undefined) return;
    this.isLooking = true;
    try {
      const all = [...this.underWay.values()].filter(
        ({ place, isWaiting, isAdmitted }) => isWaiting && isAdmitted && (left === undefined || left === place.key),
      );
      if (all.length === 0) return;
      for (const one of all) void this.putOff(one);
      const states = await this.repository.look(all.map(({ id, place: { tenantId } }) => ({ tenantId, id })));
      const byId = new Map(states.map((state) => [state.id, state]));
      for (const one of all) this.note(one, byId.get(one.id), left === undefined);
    } catch (error) {
      this.log.debug({ event: 'proxy.exchanges_unseen', reason: (error as Error).message });
    } finally {
      this.isLooking = false;
    }
  }

  private note(one: UnderWay, state: ExchangeState | undefined, isOnTime: boolean): void {
    if (!state || !one.isWaiting) return;
    if (state.hasParts) return this.fetch(one.id);
    // Its last part may just have been read; what is gone the next time, too, went with the database.
    if (state.isGone) {
      if (one.isMissing && !one.reading) one.fail(new EgressFailed('reset', { sent: true }));
      one.isMissing = true;
    } else if (!state.isLeased || (isOnTime && this.isLost(one, state)))
      void this.giveUp(one, Promise.resolve('waiting'), 'reset');
  }

  /** It was given away by a process that has not said since that its connector was told, nor has that begun to answer: it may have run. */
  private isLost(one: UnderWay, { isUndelivered }: ExchangeState): boolean {
    return isUndelivered && !one.hasBegun && ++one.undelivered > LOOKS_UNDELIVERED;
  }
}

const BUSY = '256 requests wait for its connector';

/** Said of an upstream that no connector is there for. */
export function noConnector(upstream: string): string {
  return `no connector has a lease for ${upstream}: run \`haldir connect ${upstream}\``;
}

function toAsked(exchanges: readonly NewExchange[]): [string, string][] {
  const asked = exchanges.map(({ tenantId, upstream, wanted }): [string, string] => [
    ConnectorNotices.keyOf(tenantId, upstream),
    wanted ?? '',
  ]);
  return [...new Map(asked.map((one) => [one.join(' '), one])).values()];
}

function carried({ method, headers = {}, body }: EgressRequest): {
  method: 'POST' | 'GET' | 'DELETE';
  headers: Record<string, string>;
  body: string | null;
} {
  if (method !== 'POST' && method !== 'GET' && method !== 'DELETE') throw new Error(`${method} is not carried`);
  const lower = Object.fromEntries(Object.entries(headers).map(([name, value]) => [name.toLowerCase(), value]));
  const text = body === undefined ? null : typeof body === 'string' ? body : Buffer.from(body).toString('utf8');
  return { method, headers: lower, body: text };
}
