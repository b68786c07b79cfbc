import { Injectable } from '@nestjs/common';
import { stringifyJson } from '@haldir/kernel';
import { Transactions, type Tx } from '@haldir/database';
import { type PublishedEvent } from './domain-event.js';

const insert = {
  name: 'outbox.insert.v1',
  text: `INSERT INTO outbox (tenant_id, event_id, type, data, created_at)
           SELECT * FROM unnest($1::text[], $2::text[], $3::text[], $4::json[], $5::timestamptz[])`,
};
const takeRows = {
  name: 'outbox.take.v1',
  text: `DELETE FROM outbox WHERE id = ANY (ARRAY(SELECT id FROM outbox ORDER BY id LIMIT $1 FOR UPDATE SKIP LOCKED))
         RETURNING id, tenant_id, event_id, type, data, created_at`,
};
const among = 'SELECT event_id FROM outbox WHERE tenant_id = ANY ($1) AND event_id = ANY ($2)';
const lag = 'SELECT count(*) AS events, min(created_at) AS oldest FROM outbox';

interface OutboxRow {
  id: string;
  tenant_id: string;
  event_id: string;
  type: PublishedEvent['type'];
  data: Record<string, unknown>;
  created_at: Date;
}

/** Events on their way to whoever listens. */
@Injectable()
export class OutboxRepository {
  constructor(private readonly transactions: Transactions) {}

  /** How many events wait, and since when; null when none does. */
  async lag(): Promise<{ events: number; oldest: Date | null }> {
    const [row] = await this.transactions.queryAll<{ events: string; oldest: Date | null }>(lag);
    return { events: Number(row?.events ?? 0), oldest: row?.oldest ?? null };
  }

  in(tx: Tx) {
    return {
      insert: async (events: readonly PublishedEvent[]): Promise<void> => {
        await tx.query(insert, [
          events.map(({ tenantId }) => tenantId),
          events.map(({ eventId }) => eventId),
          events.map(({ type }) => type),
          events.map(({ data }) => stringifyJson(data)),
          events.map(({ at }) => at),
        ]);
      },
      /** Ids of those that have not left yet. An id is of one tenant. */
      among: async (events: readonly Pick<PublishedEvent, 'tenantId' | 'eventId'>[]): Promise<Set<string>> => {
        const keys = [events.map(({ tenantId }) => tenantId), events.map(({ eventId }) => eventId)];
        return new Set((await tx.query<{ event_id: string }>(among, keys)).map(({ event_id }) => event_id));
      },
      /** Removes up to `limit` events that nobody else is at, and answers them, oldest first. */
      take: async (limit: number): Promise<PublishedEvent[]> => {
        const rows = await tx.query<OutboxRow>(takeRows, [limit]);
        return rows
          .sort((one, other) => Number(BigInt(one.id) - BigInt(other.id)))
          .map(({ tenant_id, event_id, type, data, created_at }) => ({
            tenantId: tenant_id,
            eventId: event_id,
            type,
            data,
            at: created_at,
          }));
      },
    };
  }
}
