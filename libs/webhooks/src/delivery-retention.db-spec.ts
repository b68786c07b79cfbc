import { Clock, firstIdAt, newId } from '@haldir/kernel';
import { dataSourceOptions, Transactions } from '@haldir/database';
import { type HaldirConfig } from '@haldir/runtime';
import { testDatabase } from '@haldir/test-support';
import { DataSource } from 'typeorm';
import { DeliveryLogRepository } from './delivery-log.repository.js';
import { OldDeliveryRepository } from './old-delivery.repository.js';
import { DeliveryRetention } from './delivery-retention.js';

/** Long ago, so that nothing of other tests is old by then. */
const now = new Date('2020-03-01T00:00:00Z');
const DAY_MS = 86_400_000;
const ago = (days: number): Date => new Date(now.getTime() - days * DAY_MS);

class SetClock extends Clock {
  now(): Date {
    return now;
  }
}

let dataSource: DataSource;
let transactions: Transactions;
let retention: DeliveryRetention;
beforeAll(async () => {
  dataSource = await new DataSource(dataSourceOptions(await testDatabase(), 12)).initialize();
  transactions = new Transactions(dataSource);
  retention = new DeliveryRetention(
    new OldDeliveryRepository(transactions),
    { webhooks: { retentionMs: 30 * DAY_MS } } as HaldirConfig,
    new SetClock(),
  );
});
afterAll(() => dataSource.destroy());

let events = 0;

/** An event of a tenant, its delivery in that state, and an attempt at it. */
async function deliver(tenantId: string, days: number, state: string): Promise<string> {
  const id = firstIdAt('evt', ago(days)) + String(events++).padStart(16, '0');
  await dataSource.query(
    `INSERT INTO webhook_event (tenant_id, id, type, body, created_at) VALUES ($1, $2, 'anomaly', '{}', $3)`,
    [tenantId, id, ago(days)],
  );
  await dataSource.query(
    `INSERT INTO webhook_delivery (tenant_id, event_id, webhook_id, state, attempts_left, next_attempt_at) VALUES ($1, $2, 1, $3, 0, $4)`,
    [tenantId, id, state, ago(days)],
  );
  await dataSource.query(
    `INSERT INTO webhook_attempt (tenant_id, event_id, webhook_id, event, attempt, at, delivered, duration_ms)
       VALUES ($1, $2, 1, 'anomaly', 1, $3, $4, 5)`,
    [tenantId, id, ago(days), state === 'delivered'],
  );
  return id;
}

async function newTenant(): Promise<string> {
  const tenantId = newId('tnt');
  await dataSource.query(`INSERT INTO tenant (id, tier, created_at) VALUES ($1, 'free', $2)`, [tenantId, now]);
  await dataSource.query(
    `INSERT INTO webhook (tenant_id, id, name, url, events, secret, created_at) VALUES ($1, 1, '', 'https://a.example', '{all}', '', $2)`,
    [tenantId, now],
  );
  return tenantId;
}

async function left(tenantId: string): Promise<{ events: string[]; deliveries: string[]; attempts: string[] }> {
  const of = async (table: string, column: string): Promise<string[]> =>
    (
      await dataSource.query<{ id: string }[]>(
        `SELECT ${column} AS id FROM ${table} WHERE tenant_id = $1 ORDER BY ${column}`,
        [tenantId],
      )
    ).map(({ id }) => id);
  return {
    events: await of('webhook_event', 'id'),
    deliveries: await of('webhook_delivery', 'event_id'),
    attempts: await of('webhook_attempt', 'event_id'),
  };
}

it('removes events older than they are kept with all that belongs to them, however many processes do it, and nothing else', async () => {
  const [one, other] = [await newTenant(), await newTenant()];
  for (let i = 0; i < 1_100; i++) await deliver(one, 31, i % 2 === 0 ? 'delivered' : 'failed');
  await deliver(other, 40, 'cancelled');
  const pending = await deliver(one, 60, 'pending');
  const young = [await deliver(one, 29, 'delivered'), await deliver(one, 0, 'failed')];

  const purged = await Promise.all(Array.from({ length: 3 }, () => retention.purge()));
  expect(purged.reduce((sum, count) => sum + count)).toBe(1_101);
  expect(await left(one)).toEqual({
    events: [pending, ...young],
    deliveries: [pending, ...young],
    attempts: young,
  });
  expect(await left(other)).toEqual({ events: [], deliveries: [], attempts: [] });
  expect(await retention.purge()).toBe(0);
});

it('leaves an event alone that is just being sent again', async () => {
  const tenantId = await newTenant();
  const eventId = await deliver(tenantId, 31, 'failed');
  const attempts = new DeliveryLogRepository(transactions);
  await transactions.run(tenantId, async (tx) => {
    expect(await attempts.requeue(tx, { tenantId, eventId, webhookId: 1 }, now)).toBe(true);
    expect(await retention.purge()).toBe(0);
  });
  expect((await left(tenantId)).deliveries).toEqual([eventId]);
  await dataSource.query(`UPDATE webhook_delivery SET state = 'delivered' WHERE tenant_id = $1`, [tenantId]);
  expect(await retention.purge()).toBe(1);
  const late = transactions.run(tenantId, (tx) => attempts.requeue(tx, { tenantId, eventId, webhookId: 1 }, now));
  expect(await late).toBeNull();
});
