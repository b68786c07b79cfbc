import { setTimeout as pause } from 'node:timers/promises';
import { Injectable } from '@nestjs/common';
import { Batcher } from '@haldir/kernel';
import { ConnectorExchangeRepository } from './connector-exchange.repository.js';
import { ConnectorNotices } from './connector-notices.js';
import { ConnectorPartRepository, type NewPart, type PartAdmission } from './connector-part.repository.js';
import { TooManyAnswers } from './connectors.errors.js';
import { type CarriedPart, ExchangeSeal } from './exchange-seal.js';

interface AnsweringInstance {
  tenantId: string;
  upstream: string;
  instance: string;
}

/** A part of the answer to one exchange. */
export interface AnswerPart extends CarriedPart {
  id: string;
  seq: number;
}

/** Parts of one tenant that are on their way through this process at once; as many more may wait to be read. */
const MAX_OF_TENANT = 1_024;
/** Whoever waits for an answer and is there reads it within a second; whoever has not read for so long is not. */
const [UNREAD_MS, READ_WITHIN_MS] = [2_000, 100];

/** What connectors answer, on its way to whichever process has asked. */
@Injectable()
export class ConnectorAnswers {
  /** Parts under way, by tenant. */
  private readonly underWay = new Map<string, number>();
  /** Parts that wait until others are read, by tenant. */
  private readonly unread = new Map<string, number>();
  private readonly batcher = new Batcher<NewPart, PartAdmission>({
    maxBatch: 64,
    maxInFlight: 2,
    maxQueued: 4_096,
    run: (parts) =>
      this.parts.put(parts, ConnectorNotices.ofAnswered({ exchanges: [...new Set(parts.map(({ id }) => id))] })),
  });

  constructor(
    private readonly parts: ConnectorPartRepository,
    private readonly exchanges: ConnectorExchangeRepository,
    private readonly seal: ExchangeSeal,
  ) {}

  /**
   * Passes parts on; answers the ids of exchanges that nobody waits for any more, or that the instance was not given, whose parts are
   * dropped. Resolves later where as much waits to be read as may: whoever sends waits for whoever reads. An exchange that nobody
   * reads is over then.
   *
   * @throws TooManyAnswers, Unavailable
   */
  async take(from: AnsweringInstance, parts: readonly AnswerPart[]): Promise<string[]> {
    const gone = new Set<string>();
    const { tenantId } = from;
    let left = await this.pass(
      tenantId,
      parts.map((part) => this.toNew(from, part)),
      gone,
    );
    for (let until = performance.now() + UNREAD_MS; left.length > 0;) {
      const before = left;
      await this.within(this.unread, tenantId, before.length, () => pause(READ_WITHIN_MS));
      left = await this.pass(tenantId, before, gone);
      // Somebody reads.
      if (left.length < before.length) until = performance.now() + UNREAD_MS;
      if (left.length === 0 || performance.now() < until) continue;
      const unread = new Map(left.map((part) => [part.id, part]));
      await this.exchanges.remove([...unread.values()]);
      for (const id of unread.keys()) gone.add(id);
      break;
    }
    return [...gone];
  }

  /** Answers those that there is no room for yet. @param gone told of exchanges that nobody waits for */
  private async pass(tenantId: string, parts: readonly NewPart[], gone: Set<string>): Promise<NewPart[]> {
    const admissions = await this.within(this.underWay, tenantId, parts.length, () =>
      Promise.all(parts.map((part) => this.batcher.submit(part))),
    );
    parts.forEach(({ id }, i) => admissions[i] === 'gone' && gone.add(id));
    return parts.filter((_, i) => admissions[i] === 'full');
  }

  /** Holds places of a tenant meanwhile. @throws TooManyAnswers */
  private async within<T>(
    places: Map<string, number>,
    tenantId: string,
    parts: number,
    work: () => Promise<T>,
  ): Promise<T> {
    const before = places.get(tenantId) ?? 0;
    if (before + parts > MAX_OF_TENANT) throw new TooManyAnswers();
    places.set(tenantId, before + parts);
    try {
      return await work();
    } finally {
      const left = (places.get(tenantId) ?? 0) - parts;
      if (left > 0) places.set(tenantId, left);
      else places.delete(tenantId);
    }
  }

  private toNew({ tenantId, upstream, instance }: AnsweringInstance, { id, seq, ...part }: AnswerPart): NewPart {
    const last = part.last || part.failed !== undefined;
    const sealed = this.seal.sealPart(tenantId, id, seq, part);
    return { tenantId, id, upstream, instance, seq, sealed, last };
  }
}
