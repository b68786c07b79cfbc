import { createECDH } from 'node:crypto';
import { SEALED_LOG_SEEDS } from '@haldir/audit-log';
import { KEY_ENTITIES, KeyRing, RootKeys, SealBroken, type SealedColumn } from '@haldir/crypto';
import { dataSourceOptions, Transactions } from '@haldir/database';
import { SystemClock } from '@haldir/kernel';
import { SEALED_PUSH_SUBSCRIPTIONS } from '@haldir/notifications';
import { SEALED_UPSTREAM_HEADERS, SEALED_UPSTREAM_SESSIONS } from '@haldir/proxy';
import { ConfigError, HaldirConfig } from '@haldir/runtime';
import {
  type Client,
  startStatefulUpstream,
  startWorld,
  type StatefulUpstream,
  type World,
  personOf,
} from '@haldir/test-support';
import { SEALED_TOLD_VALUES } from '@haldir/vault';
import { SEALED_WEBHOOK_SECRETS } from '@haldir/webhooks';
import { DataSource } from 'typeorm';

/** One sealed value in the database, and whether what lies there opens. */
interface Cell {
  name: string;
  table: string;
  column: string;
  where: string;
  opens(): Promise<boolean>;
}

let world: World;
let dataSource: DataSource;
let transactions: Transactions;
let cells: Cell[];
let stateful: StatefulUpstream;
const clients = new Map<string, Client>();
beforeAll(async () => {
  world = await startWorld();
  stateful = await startStatefulUpstream();
  dataSource = await new DataSource({
    ...dataSourceOptions(world.environment['DATABASE_OWNER_URL'] ?? '', 2),
    entities: KEY_ENTITIES,
  }).initialize();
  transactions = new Transactions(dataSource);
  const tenants = [await world.newTenant(), await world.newTenant()];
  cells = [...(await Promise.all(tenants.map(cellsOf))).flat(), ...cellsOfInstallation()];
}, 60_000);
afterAll(async () => {
  await dataSource.destroy();
  await stateful.stop();
  await world.stop();
});

/** Secrets in versions, of one tenant with and without an expiry and bindings, and all else that is sealed under or with its key. */
async function cellsOf(client: Client): Promise<Cell[]> {
  const tenant = await world.tenantOf(client);
  clients.set(tenant, client);
  for (const name of ['one', 'two']) {
    for (const version of [1, 2]) {
      const expires = version === 2 && name === 'two' ? { expires_at: '2099-01-01T00:00:00Z' } : {};
      const bindings = version === 2 ? [{ upstream: 'api', tool: name }] : [];
      await client.post('/v1/secrets', { name, value: `${name} ${version}`, ...expires, bindings });
    }
  }
  const { body } = await client.post<{ webhook_id: number }>('/v1/webhooks', { url: 'http://127.0.0.1:9999/hook' });
  await client.post(`/v1/webhooks/${body.webhook_id}/rotate-secret`);
  const upstream = await client.post('/v1/proxy/upstreams', {
    name: 'up',
    url: stateful.url,
    headers: { 'x-key': 'value of a header' },
  });
  expect(upstream.body).toMatchObject({ registered: true });
  await client.get('/v1/audit/tree-head');
  const keys = { p256dh: createECDH('prime256v1').generateKeys('base64url'), auth: 'A'.repeat(22) };
  const person = await personOf(client, 'auditor');
  expect((await person.post('/v1/me/push', { endpoint: 'http://127.0.0.1:9999/push', keys })).status).toBe(201);
  const secrets = ['one', 'two'].flatMap((name) =>
    [1, 2].flatMap((version) =>
      ['wrapped_key', 'value'].map((column): Cell => ({
        name: `${column} of ${name} ${version} of ${tenant}`,
        table: 'secret_version',
        column,
        where: `tenant_id = '${tenant}' AND version = ${version} AND secret_id = (SELECT id FROM secret WHERE tenant_id = '${tenant}' AND name = '${name}')`,
        opens: async () => {
          const { status, body } = await client.get(`/v1/secrets/${name}/versions/${version}`);
          if (status !== 200) expect([404, 503]).toContain(status);
          return status === 200 || 'value' in body;
        },
      })),
    ),
  );
  const others = [
    ...SEALED_WEBHOOK_SECRETS,
    SEALED_UPSTREAM_HEADERS,
    SEALED_UPSTREAM_SESSIONS,
    SEALED_LOG_SEEDS,
    SEALED_TOLD_VALUES,
    SEALED_PUSH_SUBSCRIPTIONS,
  ].map((sealed): Cell => ({
    name: `${sealed.table}.${sealed.column} of ${tenant}`,
    table: sealed.table,
    column: sealed.column,
    where: `tenant_id = '${tenant}'`,
    opens: () => opensWith(sealed, tenant),
  }));
  const key: Cell = {
    name: `the key of ${tenant}`,
    table: 'tenant_key',
    column: 'wrapped',
    where: `tenant_id = '${tenant}'`,
    opens: () => isOpen(() => freshKeyRing().tenantKey(tenant, 1)),
  };
  return [...secrets, ...others, key];
}

function cellsOfInstallation(): Cell[] {
  return [
    ['system_key', 'wrapped'],
    ['root_key', 'canary'],
  ].map(([table = '', column = '']): Cell => ({
    name: table,
    table,
    column,
    where: 'true',
    opens: () => isOpen(() => freshKeyRing().load()),
  }));
}

/** One that holds nothing yet, as a process that has just started. */
function freshKeyRing(): KeyRing {
  const config = new HaldirConfig(world.environment);
  return new KeyRing(new RootKeys(config), transactions, config, new SystemClock());
}

async function opensWith({ table, column, key, placeOf }: SealedColumn, tenant: string): Promise<boolean> {
  const names = key.map(({ name }) => `${name}::text AS ${name}`).join(', ');
  const [row] = await world.sql<Record<string, string> & { sealed: Buffer }>(
    `SELECT ${names}, ${column} AS sealed FROM ${table} WHERE tenant_id = '${tenant}'`,
  );
  if (!row) throw new Error(`${table} has no row of ${tenant}`);
  return isOpen(() => freshKeyRing().openFor(tenant, row.sealed, placeOf(tenant, row, 1)));
}

/** False when it was refused as it should be; whatever else happens fails the test. */
async function isOpen(open: () => Promise<unknown>): Promise<boolean> {
  try {
    await open();
    return true;
  } catch (error) {
    if (error instanceof SealBroken || error instanceof ConfigError) return false;
    if ((error as Error).name === 'Unavailable') return false;
    throw error;
  }
}

const read = async ({ table, column, where }: Cell): Promise<Buffer> => {
  const [row] = await world.sql<{ sealed: Buffer }>(`SELECT ${column} AS sealed FROM ${table} WHERE ${where}`);
  if (!row) throw new Error(`nothing in ${table} where ${where}`);
  return row.sealed;
};
const write = ({ table, column, where }: Cell, sealed: Buffer): Promise<unknown> =>
  world.sql(`UPDATE ${table} SET ${column} = $1 WHERE ${where}`, [sealed]);

it('every sealed value opens where it is, and in no other place: rows, versions, columns, tables, tenants', async () => {
  const blobs: Buffer[] = [];
  for (const cell of cells) blobs.push(await read(cell));
  expect(new Set(blobs.map((blob) => blob.toString('hex'))).size).toBe(cells.length);
  for (const cell of cells) expect([cell.name, await cell.opens()]).toEqual([cell.name, true]);
  const opened: string[] = [];
  let cases = 0;
  for (const [i, target] of cells.entries()) {
    for (const [j, source] of cells.entries()) {
      if (i === j) continue;
      await write(target, blobs[j] as Buffer);
      cases++;
      if (await target.opens()) opened.push(`${source.name} in the place of ${target.name}`);
    }
    await write(target, blobs[i] as Buffer);
    expect([target.name, await target.opens()]).toEqual([target.name, true]);
  }
  expect(opened).toEqual([]);
  expect(cases).toBeGreaterThanOrEqual(600);
}, 240_000);

it('a whole version in the place of another opens nowhere, whatever else of its row comes with it', async () => {
  const rows = cells.filter(({ column }) => column === 'value');
  const columns = 'wrapped_key, value, scope_required, expires_at, bindings';
  const opened: string[] = [];
  await world.sql(`CREATE TABLE kept AS TABLE secret_version`);
  for (const target of rows) {
    for (const source of rows) {
      if (source === target) continue;
      await world.sql(
        `UPDATE secret_version SET (${columns}) = (SELECT ${columns} FROM kept WHERE ${source.where}) WHERE ${target.where}`,
      );
      if (await target.opens()) opened.push(`${source.name} in the place of ${target.name}`);
    }
    await world.sql(
      `UPDATE secret_version SET (${columns}) = (SELECT ${columns} FROM kept WHERE ${target.where}) WHERE ${target.where}`,
    );
    expect([target.name, await target.opens()]).toEqual([target.name, true]);
  }
  await world.sql('DROP TABLE kept');
  expect(opened).toEqual([]);
}, 120_000);

it('a webhook whose secret was moved says so, and goes on once it is back', async () => {
  const [one, other] = cells.filter(({ column }) => column === 'secret');
  if (!one || !other) throw new Error('two tenants have a webhook each');
  const kept = await read(one);
  await write(one, await read(other));
  const [row] = await world.sql<{ id: string; tenant_id: string }>(
    `SELECT id, tenant_id FROM webhook WHERE ${one.where}`,
  );
  const client = clients.get(row?.tenant_id ?? '');
  const refused = await client?.post(`/v1/webhooks/${row?.id}/rotate-secret`);
  expect([refused?.status, refused?.body['code']]).toEqual([409, 'secret_broken']);
  await write(one, kept);
  expect((await client?.post(`/v1/webhooks/${row?.id}/rotate-secret`))?.status).toBe(200);
});
