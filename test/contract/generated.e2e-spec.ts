import { type FakeUpstream, type Reply, startFakeUpstream, startWorld, type World } from '@haldir/test-support';
import { ApiDocument, type Json, type Operation } from './api-document.js';
import { Belongings } from './belongings.js';
import { type Case } from './case.js';
import { casesOf } from './cases.js';
import { bodyProblems, headerProblems } from './contract-client.js';
import { CANARY, CANARY_NUMBER } from './hostile-values.js';
import { RawClient } from './raw-client.js';

const seed = ApiDocument.seed();
/** Of what is drawn by chance; a failure is found again with the same one. */
const RANDOM_SEED = 20_261;
const AT_ONCE = 16;
/** Waits for what does not come, whatever of it is left out. */
const WAITS = 'claimExchanges';

let world: World;
let upstream: FakeUpstream;
let served: ApiDocument;
let raw: RawClient;
/** How many answers were looked at, by operation. */
const asked = new Map<string, number>();
beforeAll(async () => {
  [world, upstream] = await Promise.all([
    startWorld({ environment: { HALDIR_TIER_LIMITS: 'free=100,pro=5000,enterprise=50000' } }),
    startFakeUpstream('echo'),
  ]);
  served = await ApiDocument.servedBy(world.operator);
  raw = new RawClient(world.operator.url, AT_ONCE);
});
afterAll(async () => {
  await raw.close();
  await Promise.all([world.stop(), upstream.stop()]);
});

/** A tenant of its own, so that what one operation's cases leave behind does not reach another's. */
async function newBelongings(): Promise<Belongings> {
  const client = await world.newTenant();
  return Belongings.of(client, { upstreamUrl: upstream.url, receiverUrl: new URL('/hook', upstream.url).href });
}

/** Everything that is wrong with the answers to the cases of one operation. */
async function faultsOf(operation: Operation): Promise<string[]> {
  const belongings = await newBelongings();
  const { key } = await belongings.asker(operation);
  const cases = casesOf(operation, await belongings.input(operation.id), RANDOM_SEED);
  const faults: string[] = [];
  const next = cases.values();
  const work = async (): Promise<void> => {
    for (const one of next) {
      const authorization = `Bearer ${key ?? ''}`;
      const reply = await raw.send({ ...one, method: operation.method, headers: { authorization, ...one.headers } });
      const found = problemsOf(one, reply);
      if (found.length > 0) {
        faults.push(`${one.title}: ${reply.status} ${JSON.stringify(reply.body).slice(0, 300)}\n${found.join('\n')}`);
      }
    }
  };
  await Promise.all(Array.from({ length: AT_ONCE }, work));
  asked.set(operation.id, cases.length);
  return faults;
}

function problemsOf(one: Case, reply: Reply<unknown>): string[] {
  const { operation, expected, field, strays } = one;
  const { status, headers } = reply;
  const { error, code } = (reply.body ?? {}) as Json;
  const found = headerProblems({ ...operation, secured: operation.secured && headers.has('ratelimit') }, reply);
  if (status >= 500) found.push('is an error of the server');
  if (strays && status === 404 && code === 'not_found' && error === 'Not found') return found;
  if (!operation.statuses.includes(status)) return [...found, 'is not documented'];
  found.push(...bodyProblems(served, operation, reply));
  if (expected !== undefined && status !== expected) found.push(`is not ${expected}`);
  if (code === 'invalid' && status === 400 && field !== undefined && !String(error).includes(field)) {
    found.push(`does not name ${field}`);
  }
  if (status < 400) return found;
  const answer = JSON.stringify([reply.body, ...headers]);
  if (answer.includes(CANARY) || answer.includes(String(CANARY_NUMBER))) found.push('repeats what was sent');
  return found;
}

it.each(seed.operations.map(({ id }): [string] => [id]))(
  '%s takes whatever is sent as its document says',
  async (id) => {
    expect(await faultsOf(served.operation(id))).toEqual([]);
  },
);

it('so does every operation beyond the contract', async () => {
  const faults: string[] = [];
  for (const operation of served.operations.filter(({ id }) => !seed.find(id) && id !== WAITS))
    faults.push(...(await faultsOf(operation)));
  expect(faults).toEqual([]);
}, 300_000);

it('at least 2,000 answers were looked at, and some of every operation', () => {
  const counts = seed.operations.map(({ id }) => asked.get(id) ?? 0);
  expect(Math.min(...counts)).toBeGreaterThan(5);
  expect(counts.reduce((sum, count) => sum + count, 0)).toBeGreaterThanOrEqual(2000);
  expect(served.operations.filter(({ id }) => !asked.get(id)).map(({ id }) => id)).toEqual([WAITS]);
});

it('nothing of it reached the log, and nothing failed', () => {
  const log = world.apis.map((api) => api.output()).join('');
  expect(log).not.toContain(CANARY);
  expect(log).not.toContain('http.failed');
});
