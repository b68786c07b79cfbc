import { Client, type EverythingServer, startEverything, startWorld, type World } from '@haldir/test-support';
import { ApiDocument, type Operation } from './api-document.js';
import { Belongings } from './belongings.js';
import { ContractClient, type Input } from './contract-client.js';

const seed = ApiDocument.seed();
const operations = seed.operations.map((operation): [string, Operation] => [operation.id, operation]);
const secured = operations.filter(([, operation]) => operation.secured);

/** Well-formed, with a right checksum, and nobody's: the example of the key format. */
const UNKNOWN_KEY = 'hld_A1b2C3d4E5f6G7h8I9j0K1l2M3n4O5p6Q7r8S9t0u1v42GkB5';

let world: World;
let upstream: EverythingServer;
let belongings: Belongings;
let api: ContractClient;
beforeAll(async () => {
  [world, upstream] = await Promise.all([
    startWorld({ environment: { HALDIR_TIER_LIMITS: 'free=100,pro=5000,enterprise=50000' } }),
    startEverything(),
  ]);
  const tenant = await world.newTenant();
  belongings = await Belongings.of(tenant, {
    upstreamUrl: upstream.url,
    receiverUrl: new URL('/hook', upstream.url).href,
  });
  api = new ContractClient(tenant, seed);
});
afterAll(async () => {
  await Promise.all([world.stop(), upstream.kill()]);
});

/** Something for each parameter in the path, that is not there. */
const nothing = ({ parameters, body }: Operation): Input => ({
  path: Object.fromEntries(parameters.filter((one) => one.in === 'path').map(({ name }) => [name, 'nothing'])),
  ...(body && { body: {} }),
});

it.each(operations)('%s succeeds, with the documented answer', async (id, { statuses }) => {
  const { status } = await api.call(id, await belongings.input(id));
  expect(status).toBe(statuses.find((documented) => documented < 300));
});

it.each(secured)('%s asks for a key that exists and is not revoked', async (id, operation) => {
  const { body } = await belongings.client.post<{ key: string; prefix: string }>('/v1/keys', {});
  expect((await belongings.client.delete(`/v1/keys/${body.prefix}`)).status).toBe(200);
  for (const key of [null, 'hld_nonsense', 'not-even-a-key', UNKNOWN_KEY, body.key]) {
    const { status, headers } = await api.as(new Client(belongings.client.url, key)).call(id, nothing(operation));
    expect([key === body.key ? 'revoked' : key, status]).toEqual([key === body.key ? 'revoked' : key, 401]);
    expect(headers.get('www-authenticate')).toMatch(/^Bearer\b/);
  }
});

it('every operation answers 429 to a free key that made its 100 requests of the hour', async () => {
  const free = await world.newTenant({ tier: 'free' });
  const impatient = api.as(free);
  for (let i = 1; i <= 100; i++) {
    const { status, headers } = await impatient.call('listSecrets');
    expect([status, headers.get('x-ratelimit-used')]).toEqual([200, String(i)]);
  }
  for (const [id, operation] of secured) {
    const { status, headers, body } = await impatient.call(id, nothing(operation));
    expect([id, status]).toEqual([id, 429]);
    expect(body).toMatchObject({ limit: 100, tier: 'free', retry_after: Number(headers.get('retry-after')) });
    expect(headers.get('x-ratelimit-remaining')).toBe('0');
  }
  expect((await impatient.call('healthCheck')).status).toBe(200);
});

it('the open operations need no key, and mind none', async () => {
  for (const key of [null, 'hld_nonsense', UNKNOWN_KEY]) {
    const anyone = api.as(new Client(belongings.client.url, key));
    expect((await anyone.call('healthCheck')).body).toMatchObject({ status: 'ok', service: 'haldir' });
    expect((await anyone.call('apiIndex')).body).toHaveProperty('endpoints');
  }
});

it('the index names a group of endpoints for each part of the contract', async () => {
  const { body } = await api.call<{ endpoints: Record<string, string> }>('apiIndex');
  const groups = new Set(secured.map(([, { path }]) => path.split('/').slice(0, 3).join('/')));
  expect(Object.values(body.endpoints).sort()).toEqual([...groups].sort());
});
