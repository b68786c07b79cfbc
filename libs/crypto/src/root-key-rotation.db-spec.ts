import { newId } from '@haldir/kernel';
import { dataSourceOptions, Transactions } from '@haldir/database';
import { HaldirConfig } from '@haldir/runtime';
import { freshDatabaseUrl } from '@haldir/test-support';
import { DataSource } from 'typeorm';
import { KEY_ENTITIES } from './key-entities.js';
import { tenantKeyPlace } from './key-ring.js';
import { RootKeyRotation } from './root-key-rotation.js';
import { RootKeys } from './root-keys.js';

/** More than are wrapped in two transactions. */
const KEYS = 1_001;
const root = (id: number): string => `${id}:${Buffer.alloc(32, id).toString('base64url')}`;

let dataSource: DataSource;
let url: string;
beforeAll(async () => {
  url = await freshDatabaseUrl();
  dataSource = await new DataSource({ ...dataSourceOptions(url, 4), entities: KEY_ENTITIES }).initialize();
});
afterAll(() => dataSource.destroy());

const rootKeys = (...ids: number[]): RootKeys =>
  new RootKeys(new HaldirConfig({ DATABASE_URL: url, HALDIR_ROOT_KEYS: ids.map(root).join(',') }));

it('wraps every key anew, however many there are and whichever of the earlier root keys each is under', async () => {
  const tenants = Array.from({ length: KEYS }, () => newId('tnt')).sort();
  const wrapped = tenants.map((tenantId, i) => rootKeys((i % 2) + 1).wrap(Buffer.alloc(32, i), tenantKeyPlace(tenantId, 1)));
  await dataSource.query(`INSERT INTO tenant (id, tier, created_at) SELECT unnest($1::text[]), 'free', now()`, [tenants]);
  await dataSource.query(`INSERT INTO root_key (id, canary, created_at) SELECT unnest('{1,2,3}'::bigint[]), '', now()`);
  await dataSource.query(
    `INSERT INTO tenant_key (tenant_id, version, state, root_key_id, wrapped, created_at)
       SELECT tenant_id, 1, 'active', root_key_id, wrapped, now()
         FROM unnest($1::text[], $2::bigint[], $3::bytea[]) AS k(tenant_id, root_key_id, wrapped)`,
    [tenants, wrapped.map(({ rootKeyId }) => rootKeyId), wrapped.map((key) => key.wrapped)],
  );
  const progress: number[] = [];
  const rotation = new RootKeyRotation(new Transactions(dataSource), rootKeys(3, 1, 2), (keys) => progress.push(keys));
  expect(await rotation.run()).toEqual({ keys: KEYS, broken: [], inUse: [3] });
  expect(progress).toEqual([500, 1_000, KEYS]);
  const rows = await dataSource.query<{ tenant_id: string; wrapped: Buffer }[]>('SELECT tenant_id, wrapped FROM tenant_key ORDER BY tenant_id');
  const opened = rows.map((row) => rootKeys(3).unwrap(row.wrapped, tenantKeyPlace(row.tenant_id, 1)));
  expect(opened.map((key) => key[31])).toEqual(tenants.map((_, i) => i % 256));
}); // prettier-ignore
