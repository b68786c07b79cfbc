import {
  Client,
  eventually,
  type FakeUpstream,
  type Reply,
  startFakeUpstream,
  startWorker,
  startWorld,
  type World,
} from '@haldir/test-support';
import { ApiDocument, type Json, type Operation } from './api-document.js';
import { Belongings, isForConnectors } from './belongings.js';
import { ContractClient, type Input } from './contract-client.js';

/** Well-formed, with a right checksum, and nobody's: the example of the key format. */
const UNKNOWN_KEY = 'hld_A1b2C3d4E5f6G7h8I9j0K1l2M3n4O5p6Q7r8S9t0u1v42GkB5';

let world: World;
let upstream: FakeUpstream;
let served: ApiDocument;
let owner: Belongings;
let stranger: Belongings;
/** What the owner has something of in every list. */
let filters: Record<string, string>;
beforeAll(async () => {
  [world, upstream] = await Promise.all([
    startWorld({ environment: { HALDIR_TIER_LIMITS: 'free=100,pro=5000,enterprise=50000' } }),
    startFakeUpstream('echo'),
  ]);
  served = await ApiDocument.servedBy(world.operator);
  [owner, stranger] = await Promise.all([newBelongings(), newBelongings()]);
  filters = await owner.filters();
  await letWorkerWork();
});
afterAll(async () => {
  await Promise.all([world.stop(), upstream.stop()]);
});

/** Until the owner has a delivery, two checkpoints and a package of evidence, and the stranger one, too. */
async function letWorkerWork(): Promise<void> {
  const worker = await startWorker(world.environment);
  const count = async (list: string): Promise<number> => Number((await owner.client.get(list)).body['count']);
  await eventually(async () => expect(await count('/v1/webhooks/deliveries')).toBeGreaterThan(0));
  await eventually(async () => {
    await owner.filters();
    expect(await count('/v1/audit/checkpoints')).toBeGreaterThan(1);
  });
  await Promise.all([owner.makeEvidence(), stranger.makeEvidence()]);
  await worker.stop();
}

async function newBelongings(): Promise<Belongings> {
  const neighbours = { upstreamUrl: upstream.url, receiverUrl: new URL('/hook', upstream.url).href };
  return Belongings.of(await world.newTenant(), neighbours);
}

const as = ({ client }: Belongings): ContractClient => new ContractClient(client, served);
/** But for those of connectors, whose keys are of one upstream: `test/gate/connector-keys.e2e-spec.ts`. */
const secured = (): Operation[] =>
  served.operations.filter((operation) => operation.secured && !isForConnectors(operation));
const successOf = ({ statuses }: Operation): number | undefined => statuses.find((status) => status < 300);

/** One thing that an operation's input names. */
interface Reference {
  place: 'path' | 'query' | 'body' | 'headers';
  name: string;
  value: string;
}

/** Everything of its tenant that an input names. */
function referencesIn({ parameters }: Operation, { path, body }: Input): Reference[] {
  // A version is a number within what is named beside it; an agent has whatever name its tenant gives it.
  const ids = Object.entries(path ?? {}).filter(([name]) => name !== 'version' && name !== 'agent_id');
  const named = ids.map(([name, value]): Reference => ({ place: 'path', name, value }));
  const session = (body as Json | undefined)?.['session_id'];
  if (typeof session === 'string') named.push({ place: 'body', name: 'session_id', value: session });
  for (const { in: place, name } of parameters) {
    const value = filters[name.toLowerCase().replace('x-session-id', 'session_id')];
    if (value === undefined || place === 'path') continue;
    named.push({ place: place === 'query' ? 'query' : 'headers', name, value });
  }
  return named;
}

const withReference = (input: Input, { place, name }: Reference, value: string): Input => ({
  ...input,
  [place]: { ...(input[place] as Json | undefined), [name]: value },
});

/** As well-formed, and nobody's. */
const unknownLike = (value: string): string =>
  /^\d+$/.test(value)
    ? '1999999999'
    : value.replace(/[0-9A-Za-z](?=[^]{0,5}$)/g, (character) => (character === '0' ? '1' : '0'));

/** Everything of an answer that could tell one id from another. */
function appearance({ status, headers, body }: Reply<unknown>, value: string): unknown {
  const text = (typeof body === 'string' ? body : JSON.stringify(body))
    .replaceAll(value, 'the id')
    .replace(/"(request_id|generated_at|signature)":("[^"]*"|[\d.]+)/g, '"$1":…');
  return [status, text, [...headers.keys()].sort(), headers.get('content-type')];
}

it('another tenant’s ids answer exactly as ids that never existed, and nothing becomes of what they name', async () => {
  const found: unknown[] = [];
  const looked = new Set<string>();
  for (const operation of secured()) {
    const references = referencesIn(operation, await owner.input(operation.id));
    for (const i of references.keys()) {
      // Anew, because the operation may be the end of what it names.
      const theirs = await owner.input(operation.id);
      const reference = referencesIn(operation, theirs)[i] as Reference;
      const own = await stranger.input(operation.id);
      const unknown = unknownLike(reference.value);
      const foreign = await as(stranger).call(operation.id, withReference(own, reference, reference.value));
      const nothing = await as(stranger).call(operation.id, withReference(own, reference, unknown));
      const [one, other] = [appearance(foreign, reference.value), appearance(nothing, unknown)];
      if (JSON.stringify(one) !== JSON.stringify(other)) found.push([operation.id, reference.name, one, other]);
      // To its owner it is there, and was all along.
      const real = await as(owner).call(operation.id, withReference(theirs, reference, reference.value));
      if (
        real.status !== successOf(operation) ||
        JSON.stringify(one) === JSON.stringify(appearance(real, reference.value))
      )
        found.push([operation.id, reference.name, 'is not there to its owner', real.status, real.body]);
      looked.add(`${operation.id} ${reference.name}`);
    }
  }
  expect(found).toEqual([]);
  expect(looked.size).toBeGreaterThan(40);
}, 60_000);

it('another tenant’s cursors are no cursors', async () => {
  // Freezing the tenant would deny what waits, which is one of the lists.
  for (const operation of served.operations.filter(({ method, id }) => method === 'POST' && id !== 'freezeTenant')) {
    for (let i = 0; i < 2; i++) await as(owner).call(operation.id, await owner.input(operation.id));
  }
  const lists = secured().filter(({ parameters }) => parameters.some(({ name }) => name === 'cursor'));
  for (const { id } of lists) {
    const { path } = await owner.input(id);
    const page = (query: Json): Input => ({ ...(path && { path }), query: { limit: 1, ...query } });
    const { next_cursor: cursor } = (await as(owner).call(id, page({}))).body;
    expect([id, cursor]).toEqual([id, expect.any(String)]);
    expect([id, (await as(owner).call(id, page({ cursor }))).status]).toEqual([id, 200]);
    const { status, body } = await as(stranger).call(id, page({ cursor }));
    expect([id, status, body['error']]).toEqual([id, 400, expect.stringMatching(/^cursor: /)]);
  }
  expect(lists.length).toBeGreaterThan(12);
}, 60_000);

it('no operation takes a key that is missing, nonsense, nobody’s or revoked', async () => {
  const { body } = await owner.client.post<{ key: string; prefix: string }>('/v1/keys', {});
  await owner.client.delete(`/v1/keys/${body.prefix}`);
  for (const key of [null, 'hld_nonsense', UNKNOWN_KEY, body.key]) {
    const anyone = new ContractClient(new Client(owner.client.url, key), served);
    for (const operation of secured()) {
      const { status, headers } = await anyone.call(operation.id, await owner.input(operation.id));
      expect([operation.id, status]).toEqual([operation.id, 401]);
      expect(headers.get('www-authenticate')).toMatch(/^Bearer\b/);
    }
  }
}, 60_000);

it('no operation takes a key without its scope, and each names the scope it wants', async () => {
  const holding = async (scope: string): Promise<ContractClient> => {
    const { body } = await owner.client.post<{ key: string }>('/v1/keys', { scopes: [scope], tier: 'enterprise' });
    return new ContractClient(new Client(owner.client.url, body.key), served);
  };
  const [hooks, trail] = await Promise.all([holding('webhooks:*'), holding('audit:*')]);
  for (const operation of secured()) {
    const client = operation.tags.includes('webhooks') ? trail : hooks;
    const { status, body } = await client.call(operation.id, await owner.input(operation.id));
    expect([operation.id, status, body['required']]).toEqual([
      operation.id,
      403,
      expect.stringMatching(/^[a-z]+:(read|write|call|request|decide)$/),
    ]);
  }
}, 60_000);
