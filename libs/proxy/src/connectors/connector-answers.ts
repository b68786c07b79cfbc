import { Injectable } from '@nestjs/common';
import { Batcher } from '@haldir/kernel';
import { ConnectorExchangeRepository, type NewPart } from './connector-exchange.repository.js';
import { ConnectorNotices } from './connector-notices.js';
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

/** What connectors answer, on its way to whichever process has asked. */
@Injectable()
export class ConnectorAnswers {
  private readonly batcher = new Batcher<NewPart, boolean>({
    ...{ maxBatch: 64, maxInFlight: 2, maxQueued: 4_096 },
    run: (parts) =>
      this.repository.put(parts, ConnectorNotices.ofAnswered({ exchanges: [...new Set(parts.map(({ id }) => id))] })),
  });

  constructor(
    private readonly repository: ConnectorExchangeRepository,
    private readonly seal: ExchangeSeal,
  ) {}

  /**
   * Passes parts on; answers the ids of exchanges that nobody waits for any more, or that the instance was not given, whose parts are
   * dropped.
   *
   * @throws Unavailable
   */
  async take({ tenantId, upstream, instance }: AnsweringInstance, parts: readonly AnswerPart[]): Promise<string[]> {
    const taken = await Promise.all(
      parts.map(({ id, seq, ...part }) => {
        const last = part.last || part.failed !== undefined;
        const sealed = this.seal.sealPart(tenantId, id, seq, part);
        return this.batcher.submit({ tenantId, id, upstream, instance, seq, sealed, last });
      }),
    );
    return [...new Set(parts.filter((_, i) => taken[i] === false).map(({ id }) => id))];
  }
}
