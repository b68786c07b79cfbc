import {
  type AppProcess,
  byStatus,
  type ClaimedExchange,
  type Client,
  decidePending,
  eventually,
  saying,
  type Scenario,
  type SentPart,
  startStatefulUpstream,
  type StatefulUpstream,
  type TestConnector,
} from '@haldir/test-support';
import { ConnectorStage } from './connector-stage.js';

type Answer = Omit<SentPart, 'id' | 'seq'>[];
type Call = { n?: number; say?: string };

let stage: ConnectorStage;
let scenario: Scenario;
/** Calls that the server of the test has seen. */
let seen: Call[];
beforeAll(async () => void (stage = await ConnectorStage.start()));
afterAll(() => stage.stop());
beforeEach(async () => {
  scenario = await stage.begin();
  seen = [];
});
afterEach(() => stage.end());

const json = (id: unknown, result: object): Answer => [
  { status: 200, headers: { 'content-type': 'application/json' }, data: JSON.stringify({ jsonrpc: '2.0', id, result }), last: true }, // prettier-ignore
];
const said = (text: string): object => ({ content: [{ type: 'text', text }] });

/** A server that speaks JSON-RPC and nothing else, with one tool `echo`. */
function serverOf(answer: (call: Call, id: unknown) => Promise<Answer> | Answer) {
  return async ({ body }: ClaimedExchange): Promise<Answer> => {
    const { id, method, params } = JSON.parse(body ?? '{}') as { id: unknown; method: string; params: object };
    if (method === 'tools/list') return json(id, { tools: [{ name: 'echo', inputSchema: { type: 'object' } }] });
    if (method !== 'tools/call') {
      const error = { code: -32_601, message: 'Method not found' };
      return [{ status: 200, headers: { 'content-type': 'application/json' }, data: JSON.stringify({ jsonrpc: '2.0', id, error }), last: true }]; // prettier-ignore
    }
    const call = (params as { arguments: Call }).arguments;
    seen.push(call);
    return answer(call, id);
  };
}
const echo = serverOf(({ say = 'hello' }, id) => json(id, said(say)));

const connect = (...server: Parameters<ConnectorStage['connector']>): Promise<TestConnector> =>
  stage.connector(...server);

const never = (): Promise<Answer> => new Promise(() => undefined);
const called = (n: number): Promise<void> => eventually(() => expect(seen.length).toBeGreaterThanOrEqual(n), 60_000);
const outcomes = async (): Promise<unknown[]> =>
  (await scenario.callEntries()).map(({ details }) => details['outcome'] ?? 'answered');

describe('a call through a connector', () => {
  it('that is killed in the middle of it may have run, and is not made again', async () => {
    const connector = await connect(serverOf(never));
    await stage.listed(1);
    const call = scenario.call('fs.echo');
    await called(1);
    connector.kill();
    await stage.forget(connector);
    expect(await call).toMatchObject({ status: 502, body: { code: 'upstream_unreachable' } });
    const other = await connect(echo);
    expect((await scenario.call('fs.echo')).status).toBe(200);
    expect([seen.length, other.claimed.filter(({ body }) => body?.includes('tools/call')).length]).toEqual([2, 1]);
    expect((await outcomes()).length).toBe(2);
  });

  it('that ends its lease fails at once; then none is there, and the words say what to do', async () => {
    const connector = await connect(serverOf(never));
    await stage.listed(1);
    const call = scenario.call('fs.echo');
    await called(1);
    await connector.stop();
    expect((await call).status).toBe(502);
    const { status, body } = await scenario.call('fs.echo');
    expect([status, String(body.error)]).toEqual([
      502,
      expect.stringContaining('no connector has a lease for fs: run `haldir connect fs`'),
    ]);
    await eventually(async () =>
      expect(await stage.shown()).toMatchObject({
        healthy: false,
        error: expect.stringContaining('haldir connect fs') as string,
        connector: { instances: 0, last_seen: expect.any(Number) as number },
      }),
    );
    expect(seen.length).toBe(1);
  });

  it('whose time is over is told to the connector, whose answer is dropped', async () => {
    let answer: (parts: Answer) => void = () => undefined;
    const connector = await connect(
      serverOf((_, id) => new Promise<Answer>((resolve) => (answer = () => resolve(json(id, said('late')))))),
    );
    await stage.listed(1);
    await scenario.tenant.patch('/v1/proxy/upstreams/fs', { timeout: 1 });
    const taken = (): ClaimedExchange | undefined => connector.claimed.find(({ body }) => body?.includes('tools/call'));
    // On a busy machine the time may be over before the connector has it.
    do expect(await scenario.call('fs.echo')).toMatchObject({ status: 502, body: { code: 'upstream_unreachable' } });
    while (!taken());
    const id = taken()?.id;
    await eventually(() => expect(connector.cancelled).toContain(id));
    answer([]);
    await eventually(() => expect(connector.gone).toContain(id));
    expect(seen.length).toBe(1);
  });

  it('that went down with a process on its way to the connector ends before its time, and may have run', async () => {
    const key = await stage.connectorKey();
    const first = await connect(echo, { key });
    await stage.listed(1);
    expect((await scenario.call('fs.echo')).status).toBe(200);
    first.kill();
    // Its lease goes on, and it asks for nothing.
    const silent = await connect(echo, { key, claims: 0 });
    await stage.forget(first);
    await scenario.tenant.patch('/v1/proxy/upstreams/fs', { timeout: 300 });
    let isOver = false;
    const call = scenario.call('fs.echo').finally(() => (isOver = true));
    const tenantId = await stage.world.tenantOf(scenario.tenant);
    // As a process does that dies before it answers the claim.
    await eventually(async () => {
      await stage.world.sql(
        `UPDATE connector_exchange SET claimed_by = $1, sealed = NULL, delivered = false WHERE tenant_id = $2 AND claimed_by IS NULL`,
        [silent.instance, tenantId],
      );
      expect(isOver).toBe(true);
    }, 80_000);
    expect(await call).toMatchObject({ status: 502, body: { code: 'upstream_unreachable' } });
    const entries = await scenario.callEntries();
    expect([seen.length, entries.length]).toEqual([1, 2]);
    expect(entries.filter(({ details }) => details['sent'] === false)).toEqual([]);
  });

  it('that nobody took in time is never made, also when somebody comes', async () => {
    const instance = 'instance0that0is0slow';
    const key = await stage.connectorKey();
    const first = await connect(echo, { key, instance });
    await stage.listed(1);
    first.kill();
    await eventually(async () => {
      const metrics = await Promise.all(
        stage.world.apis.map(({ url }) => fetch(`${url}/metrics`).then((r) => r.text())),
      );
      expect(metrics.join('\n')).not.toMatch(/haldir_connector_claims_waiting\{[^}]*\} [1-9]/);
    });
    await scenario.tenant.patch('/v1/proxy/upstreams/fs', { timeout: 1 });
    expect((await scenario.call('fs.echo')).status).toBe(502);
    const again = await connect(echo, { key, instance });
    await scenario.tenant.patch('/v1/proxy/upstreams/fs', { timeout: 30 });
    expect((await scenario.call('fs.echo', { say: 'second' })).body.content[0]?.text).toBe('second');
    expect(again.claimed.filter(({ body }) => body?.includes('tools/call')).length).toBe(1);
    expect(seen).toEqual([{ say: 'second' }]);
  });

  it('is refused unsent while 256 requests wait, and cut off when its answer is too large', async () => {
    const connector = await connect(
      serverOf(({ say }, id) => json(id, said(say === 'long' ? 'x'.repeat(5_000) : 'ok'))),
    );
    await stage.listed(1);
    await scenario.tenant.patch('/v1/proxy/upstreams/fs', { max_answer_bytes: 1_024 });
    const long = await scenario.call('fs.echo', { say: 'long' });
    expect([long.status, String(long.body.error)]).toEqual([502, expect.stringContaining('larger than allowed')]);
    expect((await scenario.call('fs.echo', { say: 'short' })).status).toBe(200);
    connector.kill();
    const tenantId = await stage.world.tenantOf(scenario.tenant);
    await stage.world.sql(
      `INSERT INTO connector_exchange (tenant_id, id, upstream, wanted, sealed, bytes, ends_at)
         SELECT $1, 'cex_' || n, 'fs', 'nobody', 'x', 1, now() + interval '1 minute' FROM generate_series(1, 256) AS n`,
      [tenantId],
    );
    const busy = await scenario.call('fs.echo');
    expect([busy.status, String(busy.body.error)]).toEqual([502, expect.stringContaining('wait for its connector')]);
    await stage.world.sql('DELETE FROM connector_exchange WHERE tenant_id = $1', [tenantId]);
  });

  it('is put together of its parts in their order, whatever they hold', async () => {
    const text = 'one\u2028two\u2029three “four” \u{1f980}';
    const event = (id: unknown): string =>
      `: ping\n\nevent: message\ndata: ${JSON.stringify({ jsonrpc: '2.0', id, result: said(text) })}\n\n`;
    await connect(
      serverOf((_, id) => {
        const parts = [...event(id)].map((data) => ({ data }));
        return [{ status: 200, headers: { 'content-type': 'text/event-stream' } }, ...parts, { last: true }];
      }),
    );
    await stage.listed(1);
    expect((await scenario.call('fs.echo')).body.content).toEqual([{ type: 'text', text }]);
  });

  it('is held, priced and masked like any other', async () => {
    await scenario.tenant.post('/v1/secrets', { name: 'token', value: 'correct horse battery' });
    const key = await stage.connectorKey('fs', ['token']);
    await connect(echo, { key });
    await stage.listed(1);
    const told = await fetch(`${stage.balancer.url}/v1/connectors/fs/secrets`, {
      method: 'POST',
      headers: { authorization: `Bearer ${key}`, 'content-type': 'application/json' },
      body: JSON.stringify({ names: ['token'] }),
    });
    expect(told.status).toBe(200);
    const leaked = await scenario.call('fs.echo', { say: 'it is correct horse battery' });
    expect(leaked.body.content[0]?.text).not.toContain('battery');
    await scenario.tenant.put('/v1/proxy/upstreams/fs/tools/echo/price', { price_usd: 0.5 });
    await scenario.policy('require_approval', { scope: { tools: ['fs.echo'] } });
    const session = await scenario.tenant.session({ scopes: ['execute', 'spend'], spend_limit: 1 });
    const held = await scenario.call('fs.echo', { n: 1 }, { session });
    expect(saying(held)).toMatchObject({ status: 'approval_required' });
    expect(seen.length).toBe(1);
    await decidePending(scenario.tenant, 'approve');
    expect((await scenario.call('fs.echo', { n: 1 }, { session })).status).toBe(200);
    expect((await scenario.tenant.get(`/v1/sessions/${session}`)).body).toMatchObject({ spent: 0.5, held: 0 });
    expect(seen.length).toBe(2);
  });
});

describe('two connectors of one upstream', () => {
  it('share sessions, never the calls of one; what one had is begun anew at the other', async () => {
    const up: StatefulUpstream = scenario.keep(await startStatefulUpstream());
    const key = await stage.connectorKey();
    const one = await connect(up.url, { key });
    await stage.listed(2);
    const two = await connect(up.url, { key });
    // Six sessions begin at once, on however slow a machine.
    await scenario.tenant.patch('/v1/proxy/upstreams/fs', { timeout: 60 });
    const page = async (session: string, tool: string, args: object = {}, by?: Client): Promise<string[]> => {
      const { status, body } = await scenario.call(`fs.${tool}`, args, { session, ...(by ? { by } : {}) });
      expect([status, body]).toEqual([200, body]);
      return body.content.map(({ text }) => text);
    };
    const sessions = await Promise.all(
      Array.from({ length: 6 }, (_, n) => scenario.tenant.session({ agent_id: `a${n}`, scopes: ['execute', 'read'] })),
    );
    await Promise.all(sessions.map((session, n) => page(session, 'goto', { page: `page ${n}` })));
    for (const by of [scenario.at(0), scenario.at(1)])
      await Promise.all(
        sessions.map(async (session, n) => expect(await page(session, 'page', {}, by)).toEqual([`page ${n}`])),
      );
    const idsAt = ({ claimed }: TestConnector): Set<string> =>
      new Set(claimed.flatMap(({ headers }) => headers['mcp-session-id'] ?? []));
    for (const connector of [one, two])
      for (const id of idsAt(connector)) expect(id.startsWith(`${connector.instance}.`)).toBe(true);
    one.kill();
    await stage.forget(one);
    const after = await Promise.all(sessions.map((session) => page(session, 'page')));
    // Each goes on at the one that is there: in its session, or in another, of which it is told.
    for (const [n, texts] of after.entries())
      expect(texts[0] === `page ${n}` || texts.some((text) => text.includes('a new one was begun'))).toBe(true);
  });
});

describe('a process of the API that is killed while calls run', () => {
  it('leaves each of them one outcome, and the server saw each at most once', async () => {
    const [first, second] = stage.world.apis as [AppProcess, AppProcess];
    await connect(
      serverOf(async (_, id) => {
        await new Promise((resolve) => setTimeout(resolve, 30));
        return json(id, said('done'));
      }),
    );
    await stage.listed(1);
    const calls = 40;
    const sessions = await Promise.all(
      Array.from({ length: calls }, (_, n) => scenario.tenant.session({ agent_id: `a${n}`, scopes: ['execute'] })),
    );
    const made = sessions.map(async (session, n) => {
      if (n >= calls / 2) await called(calls / 8);
      const by = scenario.tenant.at(n % 2 === 0 ? first : second);
      return scenario.call('fs.echo', { n }, { session, by }).catch(() => ({ status: 0 }));
    });
    await called(calls / 4);
    await second.kill();
    const replies = await Promise.all(made);
    await eventually(async () => expect(await stage.world.sql('SELECT FROM started_call')).toEqual([]), 60_000);
    const entries = await scenario.callEntries();
    const counts = new Map<number, number>();
    for (const { n = -1 } of seen) counts.set(n, (counts.get(n) ?? 0) + 1);
    expect([...counts.values()].filter((count) => count !== 1)).toEqual([]);
    for (const [n, session] of sessions.entries()) {
      const of = entries.filter((entry) => entry.session_id === session);
      if (counts.has(n)) expect([n, of.length]).toEqual([n, 1]);
      else expect(of.length).toBeLessThan(2);
      if (replies[n]?.status === 200) expect([n, counts.get(n)]).toEqual([n, 1]);
    }
    expect(byStatus(replies)[200] ?? 0).toBeGreaterThan(0);
  });
});
