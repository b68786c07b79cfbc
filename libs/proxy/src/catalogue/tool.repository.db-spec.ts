import { newId } from '@haldir/kernel';
import { dataSourceOptions, Transactions, type Tx } from '@haldir/database';
import { testDatabase } from '@haldir/test-support';
import { DataSource } from 'typeorm';
import { Upstream, UpstreamName } from '../upstreams/upstream.entity.js';
import { NO_LIMITS } from '../upstreams/upstream-limits.js';
import { UpstreamTraffic } from '../upstreams/upstream-traffic.entity.js';
import { UpstreamRepository, type UpstreamState } from '../upstreams/upstream.repository.js';
import { modelNamesOf } from '../policies/model-names.js';
import { type ListedDefinition } from './tool-definition.js';
import { comparePins } from './tool-pins.js';
import { ToolPrice } from './tool-price.entity.js';
import { ToolPriceRepository } from './tool-price.repository.js';
import { ToolTargetRepository } from './tool-target.repository.js';
import { Tool } from './tool.entity.js';
import { ToolRepository, type Traits } from './tool.repository.js';

const now = new Date('2026-01-01T00:00:00Z');
const traits: Traits = { destructive: false, repeatable: true, mirrored: [] };
const terms = { prefixed: true, separator: '__', toolsMaxAgeSeconds: 20 } as const;
const state: UpstreamState = {
  ...{ healthy: true, error: null, failures: 0 },
  ...{ checkedAt: now, nextCheckAt: now, confirmedAt: now },
};
let dataSource: DataSource;
let transactions: Transactions;
let tools: ToolRepository;
let upstreams: UpstreamRepository;
let tenantId: string;
beforeAll(async () => {
  const entities = [Tool, ToolPrice, Upstream, UpstreamName, UpstreamTraffic];
  dataSource = await new DataSource({ ...dataSourceOptions(await testDatabase(), 4), entities }).initialize();
  transactions = new Transactions(dataSource);
  [tools, upstreams] = [new ToolRepository(transactions), new UpstreamRepository(transactions)];
});
afterAll(() => dataSource.destroy());
beforeEach(async () => {
  tenantId = newId('tnt');
  await dataSource.query(`INSERT INTO tenant (id, tier, created_at) VALUES ($1, 'free', now())`, [tenantId]);
  const address = { tenantId, name: 'up', url: 'http://127.0.0.1/', revision: 'upr_1', headers: null, ...NO_LIMITS };
  expect(await run((tx) => upstreams.in(tx).put(address, null, terms, { ...state, sessions: null }, 10))).toBe(true);
});

const run = <T>(work: (tx: Tx) => Promise<T>): Promise<T> => transactions.run(tenantId, work);
/** Definitions of these names, each with its version. */
const listed = (versions: Record<string, number>): ListedDefinition[] =>
  Object.entries(versions).map(([name, version]) => ({
    tool: { name, description: String(version), inputSchema: {} },
    fingerprint: Buffer.alloc(32, version),
  }));
const announced = (versions: Record<string, number>): Promise<void> =>
  run(async (tx) => {
    const changes = comparePins(await tools.in(tx).pins(tenantId, 'up'), listed(versions));
    await tools.in(tx).apply(tenantId, 'up', changes, () => traits, now);
  });
const shown = async (): Promise<Record<string, string>> => {
  const found = await tools.list(tenantId, {}, 10, null);
  return Object.fromEntries(
    found.map(({ name, definition, drift }) => [
      name,
      `${definition.description}${drift ? ` held ${drift.definition.description}` : ''}`,
    ]),
  );
};

describe('the tools of an upstream', () => {
  it('are added, go, come back, drift, and go back to what was accepted', async () => {
    await announced({ a: 1, b: 1 });
    expect(await shown()).toEqual({ a: '1', b: '1' });
    await announced({ a: 1, c: 1 });
    expect(await shown()).toEqual({ a: '1', c: '1' });
    await announced({ a: 2, b: 1, c: 1 });
    expect(await shown()).toEqual({ a: '1 held 2', b: '1', c: '1' });
    expect(await tools.total(tenantId)).toBe(3);
    expect((await tools.list(tenantId, { drifted: true }, 10, null)).map(({ name }) => name)).toEqual(['a']);
    expect((await tools.list(tenantId, { nameContains: 'B', upstream: 'up' }, 10, null)).length).toBe(1);
    expect((await tools.list(tenantId, {}, 10, ['up', 'b'])).map(({ name }) => name)).toEqual(['c']);
    await announced({ a: 1, b: 1 });
    expect(await shown()).toEqual({ a: '1', b: '1' });
  });

  it('are what was accepted of them', async () => {
    await announced({ a: 1 });
    await announced({ a: 2 });
    const found = await run((tx) => tools.in(tx).find(tenantId, 'up', 'a'));
    expect(found).toMatchObject({ pendingFingerprint: Buffer.alloc(32, 2) });
    await run((tx) => tools.in(tx).accept(tenantId, 'up', 'a', { ...traits, destructive: true }));
    expect(await shown()).toEqual({ a: '2' });
    const [meaning] = await new ToolTargetRepository(transactions).resolve([{ tenantId, name: 'up.a' }]);
    expect(meaning?.target).toMatchObject({ destructive: true, repeatable: true, mirrored: [], pending: null });
  });

  it('have a price, which is put in place of the one before and goes', async () => {
    await announced({ a: 1 });
    const prices = new ToolPriceRepository();
    const priceOf = async (): Promise<bigint | null | undefined> => (await tools.list(tenantId, {}, 1, null))[0]?.price;
    for (const price of [10_000n, 20_000n] as ToolPrice['price'][]) {
      await run((tx) => prices.in(tx).put({ tenantId, upstream: 'up', tool: 'a', price }));
      expect(await priceOf()).toBe(price);
    }
    expect(await run((tx) => prices.in(tx).remove(tenantId, 'up', 'a'))).toBe(true);
    expect(await run((tx) => prices.in(tx).remove(tenantId, 'up', 'a'))).toBe(false);
    expect(await priceOf()).toBe(null);
  });

  it('are read with the digest of their catalogue', async () => {
    await announced({ a: 1 });
    await announced({ a: 2, b: 1 });
    const digest = Buffer.alloc(32, 9);
    await run((tx) => upstreams.in(tx).keepCatalogue(tenantId, 'up', digest, null));
    const found = await tools.definitions(tenantId, ['up', 'other']);
    expect(found.map(({ name, held, digest: of }) => [name, held, of]).sort()).toEqual([
      ['a', true, digest.toString('hex')],
      ['b', false, digest.toString('hex')],
    ]);
    expect((await upstreams.stats(tenantId, { healthy: true, nameContains: 'U' }, 10, null))[0]).toMatchObject({
      ...{
        name: 'up',
        tools: 2,
        drifted: 1,
        calls: 0,
        prefixed: true,
        separator: '__',
        toolsMaxAgeSeconds: 20,
        headers: {},
      },
    });
    expect((await upstreams.catalogues([tenantId])).get(tenantId)).toEqual([
      { name: 'up', prefixed: true, separator: '__', digest: digest.toString('hex'), error: null },
    ]);
    expect(await upstreams.find(tenantId, 'up')).toMatchObject({ url: 'http://127.0.0.1/', failures: 0 });
    expect(await upstreams.withoutTools(tenantId, null, 5)).toEqual([]);
    await run((tx) => tools.in(tx).clear(tenantId, 'up'));
    expect(await tools.pins(tenantId, 'up')).toEqual([]);
    expect(await run((tx) => upstreams.in(tx).remove(tenantId, 'up'))).toBe(true);
    expect((await upstreams.names([tenantId])).get(tenantId)).toEqual(new Set(['up']));
  });
});

it('the database names tools for models as this process does, and with no search path, as when a dump is restored', async () => {
  const names = ['echo', 'a.b', 'wörter/zählen', '😀', 'x'.repeat(100), 'a\\b', "a'b"];
  const found = await dataSource.transaction(async (manager): Promise<unknown> => {
    await manager.query(`SET LOCAL search_path = ''`);
    return manager.query(
      `SELECT public.tool_model_name('up', n) AS "modelName", public.tool_hashed_name('up', n) AS "hashedName" FROM unnest($1::text[]) n`,
      [names],
    );
  });
  expect(found).toEqual(names.map((name) => modelNamesOf('up', name)));
});
