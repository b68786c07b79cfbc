import { newId } from '@haldir/kernel';
import { dataSourceOptions, Transactions } from '@haldir/database';
import { testDatabase } from '@haldir/test-support';
import { DataSource } from 'typeorm';
import { ConnectorExchangeRepository } from './connector-exchange.repository.js';
import { ConnectorLeaseRepository } from './connector-lease.repository.js';

const INSTANCE = 'instance0of0the0test';

let dataSource: DataSource;
let transactions: Transactions;
beforeAll(async () => {
  dataSource = await new DataSource(dataSourceOptions(await testDatabase(), 8)).initialize();
  transactions = new Transactions(dataSource);
  await dataSource.query(`INSERT INTO tenant (id, tier, created_at) VALUES ($1, 'free', now())`, [tenantId]);
});
afterAll(() => dataSource.destroy());

const tenantId = newId('ten');

it('a request is undelivered from when it is given away until that is noted; of one that does not say so it is not known', async () => {
  const exchanges = new ConnectorExchangeRepository(transactions);
  const given = async (delivered: boolean | null): Promise<{ tenantId: string; id: string }> => {
    const id = newId('cex');
    await dataSource.query(
      `INSERT INTO connector_exchange (tenant_id, id, upstream, claimed_by, delivered, bytes, ends_at)
         VALUES ($1, $2, 'fs', $3, $4, 1, now() + interval '5 minutes')`,
      [tenantId, id, INSTANCE, delivered],
    );
    return { tenantId, id };
  };
  const places = [await given(null), await given(false), await given(true), await given(false)];
  const undelivered = async () => {
    const states = await exchanges.look(places);
    return places.map(({ id }) => states.find((state) => state.id === id)?.isUndelivered);
  };
  expect(await undelivered()).toEqual([false, true, false, true]);
  // Whom others are at is not waited for.
  const other = dataSource.createQueryRunner();
  await other.startTransaction();
  try {
    await other.query('SELECT FROM connector_exchange WHERE tenant_id = $1 AND id = $2 FOR UPDATE', [
      ...[tenantId, places[3]?.id],
    ]);
    await exchanges.noteDelivered(places);
  } finally {
    await other.rollbackTransaction();
    await other.release();
  }
  expect(await undelivered()).toEqual([false, false, false, true]);
});

it('a claim gives away what is undelivered until its answer has left', async () => {
  const exchanges = new ConnectorExchangeRepository(transactions);
  const id = newId('cex');
  await dataSource.query(
    `INSERT INTO connector_exchange (tenant_id, id, upstream, sealed, bytes, ends_at)
       VALUES ($1, $2, 'taken', 'x', 1, now() + interval '5 minutes')`,
    [tenantId, id],
  );
  await dataSource.query(
    `INSERT INTO connector_lease (tenant_id, upstream, instance, renewed_at, ends_at, key_id, per_session)
       VALUES ($1, 'taken', $2, now(), now() + interval '5 minutes', 'key', false)`,
    [tenantId, INSTANCE],
  );
  const undelivered = async () => (await exchanges.look([{ tenantId, id }]))[0]?.isUndelivered;
  expect(await undelivered()).toBe(false);
  await dataSource.query(
    `INSERT INTO api_key (tenant_id, public_id, principal_id, name, tier, scopes, hash, mac, created_at)
       VALUES ($1, $2, 'hld_' || $2, '', 'free', '{}', '', '', now())`,
    [tenantId, `${tenantId}key`],
  );
  const claim = { tenantId, upstream: 'taken', instance: INSTANCE, keyId: `${tenantId}key` };
  expect((await exchanges.take(claim, 1, 1_000)).exchanges).toHaveLength(1);
  expect(await undelivered()).toBe(true);
});

it('a lease that does not say which registration it is for is for the one that it is renewed under', async () => {
  const leases = new ConnectorLeaseRepository(transactions);
  const register = (revision: string) =>
    dataSource.query(
      `INSERT INTO proxy_upstream (tenant_id, name, url, revision, healthy, created_at, next_check_at)
         VALUES ($1, 'old', 'connector:old', $2, true, now(), now())
       ON CONFLICT (tenant_id, name) DO UPDATE SET revision = excluded.revision`,
      [tenantId, revision],
    );
  await register('upr_1');
  await dataSource.query(
    `INSERT INTO connector_lease (tenant_id, upstream, instance, renewed_at, ends_at, key_id, per_session)
       VALUES ($1, 'old', $2, now(), now() + interval '5 minutes', 'key', false)`,
    [tenantId, INSTANCE],
  );
  const instance = { tenantId, upstream: 'old', instance: INSTANCE };
  const renew = () => leases.renew(instance, { seconds: 30, keyId: 'key', isPerSession: false }, 'connector:old');
  const isKnown = () => leases.isKnown(instance, 'connector:old');
  expect(await renew()).toBe(true);
  // Also once it has ended.
  await leases.end(instance);
  expect([await renew(), await isKnown()]).toEqual([false, true]);
  await register('upr_2');
  expect([await renew(), await isKnown()]).toEqual([false, false]);
});
