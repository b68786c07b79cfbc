import { newId, SystemClock } from '@haldir/kernel';
import { AuditLog, AuditLogRepository } from '@haldir/audit-log';
import { KEY_ENTITIES, KeyRing, RootKeys, SealBroken, TenantKeyRotation } from '@haldir/crypto';
import { dataSourceOptions, Transactions } from '@haldir/database';
import { createLogger, HaldirConfig } from '@haldir/runtime';
import { freshDatabaseUrl } from '@haldir/test-support';
import { DataSource } from 'typeorm';
import { SecretVersion } from './secret-version.entity.js';
import { Secret } from './secret.entity.js';
import { UpstreamToldHead } from './upstream-told-head.entity.js';
import { UpstreamTold } from './upstream-told.entity.js';
import { SecretOpener } from './secret-opener.js';
import { SecretRepository } from './secret.repository.js';
import { SEALED_TOLD_VALUES, ToldValueRepository } from './told-value.repository.js';
import { type ToldValue, ToldValues } from './told-values.js';

const clock = new SystemClock();
const upstream = 'up';
let dataSource: DataSource;
let transactions: Transactions;
let config: HaldirConfig;
let tenantId: string;
let told: ToldValues;
beforeAll(async () => {
  const url = await freshDatabaseUrl();
  config = new HaldirConfig({ DATABASE_URL: url, HALDIR_ROOT_KEYS: `1:${Buffer.alloc(32, 1).toString('base64url')}` });
  dataSource = await new DataSource({
    ...dataSourceOptions(url, 12),
    entities: [...KEY_ENTITIES, Secret, SecretVersion, UpstreamTold, UpstreamToldHead],
  }).initialize();
  transactions = new Transactions(dataSource);
});
afterAll(() => dataSource.destroy());
beforeEach(async () => {
  tenantId = newId('tnt');
  const keys = await keyRing();
  await transactions.run(tenantId, async (tx) => {
    await tx.query(`INSERT INTO tenant (id, tier, created_at) VALUES ($1, 'free', now())`, [tenantId]);
    await new AuditLog(new AuditLogRepository(transactions), clock).create(tx, tenantId);
    await keys.createTenantKey(tx, tenantId);
  });
  told = await process();
});

async function keyRing(): Promise<KeyRing> {
  const keys = new KeyRing(new RootKeys(config), transactions, config, clock);
  await keys.load();
  return keys;
}

/** One that knows nothing yet. */
async function process(): Promise<ToldValues> {
  const [keys, secrets, log] = [await keyRing(), new SecretRepository(transactions), createLogger('silent')];
  const opener = new SecretOpener(secrets, keys, log);
  return new ToldValues(new ToldValueRepository(transactions), secrets, opener, keys, transactions, log, clock);
}

const value = (text: string, more: Partial<ToldValue> = {}): ToldValue => ({
  ...{ name: 'k', text, kind: 'secret', expiresAt: null },
  ...more,
});
const note = (...values: ToldValue[]): Promise<boolean> => told.note({ tenantId, upstream }, values);
async function texts(by = told): Promise<string[]> {
  const { values } = await by.load({ tenantId, upstream });
  return values.map(({ text }) => text).sort();
}

it('a value is noted once, by each process, and a version comes never twice', async () => {
  expect(await told.version({ tenantId, upstream })).toBeNull();
  expect(await texts()).toEqual([]);
  const versions = [await told.version({ tenantId, upstream })];
  for (const text of ['value one', 'value two', 'value one']) {
    expect(await note(value(text))).toBe(true);
    versions.push(await told.version({ tenantId, upstream }));
  }
  expect(versions).toEqual([0, 1, 2, 2]);
  expect(await texts(await process())).toEqual(['value one', 'value two']);
  await transactions.run(tenantId, async (tx) => told.forget(tx, { tenantId, upstream }));
  expect(await texts()).toEqual([]);
  expect(await told.version({ tenantId, upstream })).toBe(3);
});

it('no more than 256 values, or 1 MiB, whoever races, and not a part of what does not fit', async () => {
  const wanted = Array.from({ length: 40 }, (_, i) => Array.from({ length: 10 }, (_n, n) => value(`value ${i} ${n}`)));
  const noted = await Promise.all(wanted.map((values) => note(...values)));
  expect(noted.filter(Boolean)).toHaveLength(25);
  expect((await texts()).length).toBe(250);
  expect(await note(value('x'.repeat(1_048_576)))).toBe(false);
  const first = wanted[noted.indexOf(true)] ?? [];
  expect(await note(...first)).toBe(true);
});

it('what has expired gives its place to what has not, the first first, and goes after a day', async () => {
  const ago = (minutes: number): Date => new Date(clock.now().getTime() - minutes * 60_000);
  const tokens = Array.from({ length: 256 }, (_, i) =>
    value(`token ${String(i).padStart(3, '0')}`, { expiresAt: ago(i + 1) }),
  );
  expect(await note(...tokens)).toBe(true);
  expect(await note(value('a secret'), value('another one'))).toBe(true);
  const left = await texts();
  expect([left.length, left.includes('token 253'), left.includes('token 254'), left.includes('token 255')]).toEqual([
    ...[256, true, false, false],
  ]);
  await dataSource.query(
    `UPDATE upstream_told SET expires_at = now() - interval '25 hours' WHERE expires_at IS NOT NULL`,
  );
  expect(await note(value('a third one'))).toBe(true);
  expect(await texts()).toEqual(['a secret', 'a third one', 'another one']);
});

it('a rotation of keys takes notes along, and none is in clear', async () => {
  await note(value('a value that nobody reads'));
  const rows = (): Promise<{ row: string; version: number }[]> =>
    dataSource.query(
      `SELECT encode(sealed, 'escape') || digest AS row, get_byte(sealed, 4) AS version FROM upstream_told WHERE tenant_id = $1`,
      [tenantId],
    );
  const [before] = await rows();
  expect(before?.row).not.toContain('nobody reads');
  const hooks = { record: () => undefined, onProgress: () => undefined };
  await new TenantKeyRotation(transactions, new RootKeys(config), [SEALED_TOLD_VALUES], hooks).run(tenantId);
  expect([before?.version, (await rows())[0]?.version]).toEqual([1, 2]);
  expect(await texts()).toEqual(['a value that nobody reads']);
  expect(await texts(await process())).toEqual(['a value that nobody reads']);
  // Still the same value.
  expect(await note(value('a value that nobody reads'))).toBe(true);
  expect(await texts()).toHaveLength(1);
});

it('a note that was moved to another upstream does not open', async () => {
  await note(value('value one'));
  await told.note({ tenantId, upstream: 'other' }, [value('value two')]);
  await told.load({ tenantId, upstream: 'other' });
  await dataSource.query(
    `UPDATE upstream_told t SET sealed = o.sealed FROM upstream_told o
      WHERE t.tenant_id = $1 AND o.tenant_id = $1 AND t.upstream = 'up' AND o.upstream = 'other'`,
    [tenantId],
  );
  await expect(texts()).rejects.toThrow(SealBroken);
});
