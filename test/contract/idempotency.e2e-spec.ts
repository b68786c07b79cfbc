import { type FakeUpstream, startFakeUpstream, startWorld, type World } from '@haldir/test-support';
import { ApiDocument, type Operation } from './api-document.js';
import { Belongings, isForConnectors } from './belongings.js';
import { ContractClient, type Input } from './contract-client.js';

/** What is counted of every request, retries too, and what is worked out from the log at any time. */
const METERS = ['api_key', 'quota', 'usage_month', 'proxy_traffic'];
const DERIVED = ['audit_checkpoint', 'audit_rollup', 'audit_rollup_mark', 'audit_tile', 'audit_tree'];
/** A question; its answer may be repeated, and changes nothing. */
const QUESTIONS = ['checkPermission', 'simulatePolicies', 'previewApprovalGrant', 'unfreezeTenant'];
const RACERS = 5;

const seed = ApiDocument.seed();
let world: World;
let upstream: FakeUpstream;
let served: ApiDocument;
let digestSql: string;
beforeAll(async () => {
  [world, upstream] = await Promise.all([
    startWorld({ processes: 2, environment: { HALDIR_TIER_LIMITS: 'free=100,pro=5000,enterprise=50000' } }),
    startFakeUpstream('echo'),
  ]);
  served = await ApiDocument.servedBy(world.operator);
  const tables = await world.sql<{ name: string }>(
    `SELECT table_name AS name FROM information_schema.columns JOIN information_schema.tables USING (table_schema, table_name)
      WHERE table_schema = 'public' AND table_type = 'BASE TABLE' AND column_name = 'tenant_id'`,
  );
  digestSql = tables
    .filter(({ name }) => ![...METERS, ...DERIVED].includes(name))
    .map(
      ({ name }) =>
        `SELECT '${name}' AS name, count(*)::integer AS rows, md5(string_agg(t::text, ',' ORDER BY t::text)) AS digest FROM ${name} t WHERE tenant_id = $1`,
    )
    .join(' UNION ALL ');
});
afterAll(async () => {
  await Promise.all([world.stop(), upstream.stop()]);
});

/** A tenant of its own, whose rows and calls are looked at. */
class Watched {
  private constructor(
    readonly belongings: Belongings,
    private readonly tenantId: string,
  ) {}

  static async start(): Promise<Watched> {
    const client = await world.newTenant();
    const neighbours = { upstreamUrl: upstream.url, receiverUrl: new URL('/hook', upstream.url).href };
    return new Watched(await Belongings.of(client, neighbours), await world.tenantOf(client));
  }

  /** The same key at one of the processes. */
  at(i: number): ContractClient {
    const app = world.apis[i % world.apis.length];
    return new ContractClient(app ? this.belongings.client.at(app) : this.belongings.client, served);
  }

  /** All of the tenant's rows: how many of each table, and their digest. */
  async rows(): Promise<Map<string, { rows: number; digest: string }>> {
    const found = await world.sql<{ name: string; rows: number; digest: string }>(digestSql, [this.tenantId]);
    return new Map(found.map(({ name, ...rest }) => [name, rest]));
  }

  /** What `work` adds: rows by table, and calls to the upstream. */
  async effectOf(work: () => Promise<void>): Promise<Record<string, number>> {
    const [before, calls] = [await this.rows(), upstream.calls.length];
    await work();
    const added = [...(await this.rows())].map(([name, { rows }]): [string, number] => [
      name,
      rows - (before.get(name)?.rows ?? 0),
    ]);
    return Object.fromEntries([...added, ['calls', upstream.calls.length - calls]]);
  }
}

/** Holds one operation to it; the same key is another's at the same time. */
async function holdsTo(operation: Operation): Promise<void> {
  const { id } = operation;
  const [one, other] = await Promise.all([Watched.start(), Watched.start()]);
  const headers = { 'idempotency-key': `"${id}"` };
  const [input, theirs]: [Input, Input] = await Promise.all([one.belongings.input(id), other.belongings.input(id)]);
  const start = await one.rows();

  const answers: string[] = [];
  const replayed: (string | null)[] = [];
  const success = operation.statuses.find((status) => status < 300);
  const ask = async (i: number): Promise<void> => {
    const reply = await one.at(i).call(id, { ...input, headers });
    expect([id, reply.status, reply.body]).toEqual([id, success, reply.body]);
    answers.push(JSON.stringify(reply.body));
    replayed.push(reply.headers.get('idempotent-replayed'));
  };
  const effect = await one.effectOf(async () => {
    await Promise.all(Array.from({ length: RACERS }, (_, i) => ask(i)));
  });
  const effectOfOne = await other.effectOf(async () => {
    const reply = await other.at(0).call(id, { ...theirs, headers });
    expect([id, reply.status, reply.headers.get('idempotent-replayed')]).toEqual([id, success, null]);
  });
  expect([id, effect]).toEqual([id, effectOfOne]);

  const settled = await one.rows();
  if (!QUESTIONS.includes(id)) {
    const but = (rows: Map<string, unknown>) => [...rows].filter(([name]) => name !== 'idempotency');
    expect([id, but(settled)]).not.toEqual([id, but(start)]);
  }
  for (let i = 0; i < world.apis.length; i++) await ask(i);
  expect([id, new Set(answers).size]).toEqual([id, 1]);
  expect([id, replayed.filter((header) => header === null).length]).toEqual([id, 1]);

  const changed = { ...input, headers, body: { ...(input.body as object | undefined), also: 1 } };
  const refused = await one.at(0).call(id, changed);
  expect([id, refused.status, refused.body['code']]).toEqual([id, 422, 'idempotency_mismatch']);
  expect([id, await one.rows()]).toEqual([id, settled]);
}

/** What connectors ask is safe to repeat as it is, or is to be asked anew. */
const isPost = (operation: Operation): boolean => operation.method === 'POST' && !isForConnectors(operation);

describe('retries under one Idempotency-Key, racing and late, over two processes', () => {
  it.each(seed.operations.filter(isPost).map(({ id }): [string] => [id]))('are one %s', async (id) => {
    await holdsTo(served.operation(id));
  });

  it('are one of everything beyond the contract too', async () => {
    const others = served.operations.filter((operation) => isPost(operation) && !seed.find(operation.id));
    expect(others.length).toBeGreaterThan(7);
    for (const operation of others) await holdsTo(operation);
  }, 60_000);
});

it('every POST says in the document that it takes an Idempotency-Key', () => {
  const takes = ({ parameters }: Operation): boolean =>
    parameters.some(({ in: place, name }) => place === 'header' && name === 'Idempotency-Key');
  expect(served.operations.filter(isPost).filter((operation) => !takes(operation))).toEqual([]);
  expect(served.operations.filter(isForConnectors).filter(takes)).toEqual([]);
});
