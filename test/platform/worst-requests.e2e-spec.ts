import { once } from 'node:events';
import { Worker } from 'node:worker_threads';
import { connectMcp, Scenario, startWorld, text, type World } from '@haldir/test-support';

let world: World;
let scenario: Scenario;
beforeAll(async () => {
  world = await startWorld();
});
beforeEach(async () => {
  scenario = await Scenario.begin(world);
});
afterEach(() => scenario.end());
afterAll(() => world.stop());

/** Milliseconds that are a short wait on any machine. */
const SHORT_MS = 250;

/** What holds up others does so each time; what else the machine does may, at any time. */
const TRIES = 4;

interface Waiting {
  waited: number;
  took: number;
}

/**
 * Expects work to be done in turns with others: whoever waited for all of it waited about as long as it took, on any machine. It is
 * done again, a few times at most, until nobody waited long.
 */
async function expectTurns(measure: () => Promise<Waiting>): Promise<void> {
  const isInTurns = ({ waited, took }: Waiting): boolean => waited < Math.max(SHORT_MS, took / 2);
  const seen: Waiting[] = [];
  while (seen.length < TRIES && !seen.some(isInTurns)) seen.push(await measure());
  expect(seen.filter(isInTurns), JSON.stringify(seen)).toHaveLength(1);
}

/** Does the work, and expects the questions whether the process lives to be answered in turns with it. */
const doInTurns = (work: () => Promise<unknown>): Promise<void> =>
  expectTurns(async () => {
    let isDone = false;
    const begunAt = performance.now();
    const done = work().finally(() => (isDone = true));
    let longest = 0;
    while (!isDone) {
      const startedAt = performance.now();
      await scenario.tenant.get('/livez');
      longest = Math.max(longest, performance.now() - startedAt);
    }
    await done;
    return { waited: longest, took: performance.now() - begunAt };
  });

it('an amount of 40,000 digits that is none holds up nobody', async () => {
  await scenario.upstream('up', 'pay');
  await scenario.policy('spend_limit', { max: 5 });
  const amount = `${'1'.repeat(40_000)}x`;
  await doInTurns(() => scenario.call('up.pay', { amount }));
});

it('an answer that nearly holds a long secret at every place holds up nobody', async () => {
  const up = await scenario.upstream('up', 'say');
  const value = `${'a'.repeat(8190)}b`;
  await scenario.tenant.post('/v1/secrets', {
    ...{ name: 'k', value, scope_required: 'execute', bindings: [{ upstream: 'up', tool: 'say' }] },
  });
  up.answer = () => text('a'.repeat(65_536));
  await doInTurns(() => scenario.call('up.say', { v: '{{vault:k}}' }));
  expect(up.calls.at(-1)).toEqual({ tool: 'say', arguments: { v: value } });
});

it('a MiB of numbers that are to stay as written is refused, and as many as are taken hold up nobody', async () => {
  const up = await scenario.upstream('up', 'say');
  const call = (numbers: number): Promise<Response> =>
    fetch(`${scenario.tenant.url}/v1/proxy/call`, {
      method: 'POST',
      headers: { 'content-type': 'application/json', authorization: `Bearer ${scenario.tenant.key}` },
      body: `{"session_id":"${scenario.session}","tool":"up.say","arguments":{"n":[${'1.0,'.repeat(numbers)}2.0]}}`,
    });
  const refused = await call(260_000);
  expect([refused.status, await refused.json()]).toMatchObject([400, { field: 'body' }]);
  let answered = 0;
  await doInTurns(async () => (answered = (await call(49_000)).status));
  expect(answered).toBe(200);
  expect(up.calls).not.toEqual([]);
});

describe('lists of an upstream that are huge', () => {
  /** Asks until it is told to stop, in a thread of its own: this one serves the lists, and reads them. */
  const ASKING = `
    const { parentPort, workerData: url } = require('node:worker_threads');
    let isOver = false;
    parentPort.once('message', () => (isOver = true));
    (async () => {
      const took = [];
      while (!isOver) {
        const startedAt = performance.now();
        await (await fetch(url)).text();
        took.push(performance.now() - startedAt);
      }
      parentPort.postMessage(took);
    })();`;
  /** Does the work, and expects 99 of 100 questions whether the process lives to be answered in turns with it. */
  const mostlyInTurns = (work: () => Promise<void>): Promise<void> =>
    expectTurns(async () => {
      const asking = new Worker(ASKING, { eval: true, workerData: `${scenario.tenant.url}/livez` });
      const answered = once(asking, 'message') as Promise<[number[]]>;
      await once(asking, 'online');
      const begunAt = performance.now();
      await work().finally(() => asking.postMessage('stop'));
      const took = performance.now() - begunAt;
      const [waits] = await answered;
      expect(waits.length).toBeGreaterThan(0);
      return { waited: waits.sort((one, other) => one - other)[Math.floor(waits.length * 0.99)] ?? 0, took };
    });
  const properties = Object.fromEntries(
    Array.from({ length: 8 }, (_, i) => [`p${i}`, { type: 'string', description: 'x'.repeat(40) }]),
  );
  /** Definitions of about 1,000 characters. */
  const tools = (count: number): { name: string }[] =>
    Array.from({ length: count }, (_, i) => ({ name: `tool_${i}`, inputSchema: { type: 'object', properties } }));
  const register = async (name: string, url: string): Promise<Record<string, unknown>> =>
    (await scenario.tenant.post('/v1/proxy/upstreams', { name, url })).body;

  it('are taken, listed and looked at again without holding up anybody', async () => {
    const up = await scenario.upstream('up', 'pay');
    up.tools = tools(900);
    const session = await scenario.tenant.session({ scopes: ['execute'] });
    let changes = 0;
    await mostlyInTurns(async () => {
      const registered = await register('up', up.url);
      changes++;
      expect([registered['healthy'], registered['tool_names']]).toEqual([true, up.tools.map(({ name }) => name)]);
      for (const [i, tool] of up.tools.entries()) if (i % 2 === 0) tool['description'] = `changed ${changes}`;
      const { body } = await scenario.tenant.post('/v1/proxy/upstreams/up/refresh');
      expect(body).toMatchObject({ refreshed: true, healthy: true });
      const client = await connectMcp({ url: scenario.tenant.url, key: scenario.tenant.key ?? '', session });
      const listed = await client.listTools();
      expect(listed.tools.filter(({ name }) => name.startsWith('up__tool_'))).toHaveLength(450);
      await client.close();
    });
  });

  it('that are beyond the limit are refused, and the limit is named', async () => {
    const up = await scenario.upstream('up', 'pay');
    up.tools = tools(1_500);
    let said: Record<string, unknown> = {};
    await mostlyInTurns(async () => {
      said = await register('up', up.url);
    });
    expect(said).toMatchObject({
      healthy: false,
      error: expect.stringContaining('at most 1 MiB for a page of a list'),
    });
  });

  it('are bounded for a tenant: tools beyond are refused, and the limit is named', async () => {
    const up = await scenario.upstream('up', 'pay');
    up.tools = tools(900);
    const refused: { name: string; reason: string }[][] = [];
    for (let i = 0; i < 12; i++)
      refused.push(((await register(`up${i}`, up.url))['refused_tools'] ?? []) as { name: string; reason: string }[]);
    expect(refused[0]).toEqual([]);
    expect(refused[11]).toHaveLength(900);
    expect(refused[11]?.[0]?.reason).toContain('longer than 16777216 characters');
  });
});
