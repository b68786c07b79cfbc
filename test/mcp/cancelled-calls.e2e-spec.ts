import {
  type AppProcess,
  type Balancer,
  BareMcp,
  type Client,
  connectMcp,
  connectOldMcp,
  eventually,
  type McpRevision,
  type McpParty,
  type McpUpstream,
  pendingRequest,
  startBalancer,
  startMcpUpstream,
  startWorld,
  type World,
} from '@haldir/test-support';

let world: World;
let balancer: Balancer;
let upstream: McpUpstream;
let tenant: Client;
let party: McpParty & { session: string };

beforeAll(async () => {
  world = await startWorld({ processes: 3, environment: { MCP_HOLD_SECONDS: '20', UPSTREAM_TIMEOUT_SECONDS: '20' } });
  balancer = await startBalancer(world.apis);
});
afterAll(async () => {
  await balancer.stop();
  await world.stop();
});
beforeEach(async () => {
  upstream = await startMcpUpstream();
  tenant = await world.newTenant();
  await tenant.post('/v1/proxy/upstreams', { name: 'lib', url: upstream.url });
  party = { url: balancer.url, key: tenant.key ?? '', session: await tenant.session({ scopes: ['execute'] }) };
});
afterEach(() => upstream.stop());

const WAIT = { name: 'lib.wait', arguments: {} };
const logged = async (): Promise<unknown[]> => {
  const { body } = await tenant.get<{ entries: { details: string }[] }>('/v1/audit?tool=lib.wait');
  return body.entries.map(({ details }) => JSON.parse(details) as unknown);
};

/** An official client; calls `lib.wait` until the signal. */
type Connect = () => Promise<{ wait(signal: AbortSignal): Promise<unknown>; close(): Promise<void> }>;

const current =
  (revision: McpRevision): Connect =>
  async () => {
    const client = await connectMcp(party, revision);
    return { wait: (signal) => client.callTool(WAIT, { signal }), close: () => client.close() };
  };

const old: Connect = async () => {
  const client = await connectOldMcp(party);
  return { wait: (signal) => client.callTool(WAIT, undefined, { signal }), close: () => client.close() };
};

it.each([
  ['version 2, stateless', current('stateless')],
  ['version 2, with a handshake', current('handshake')],
  ['version 1', old],
])('an official client, %s, breaks a call off, whichever process hears of it', async (_, connect) => {
  const client = await connect();
  for (let round = 1; round <= 4; round++) {
    const abort = new AbortController();
    const call = client.wait(abort.signal);
    call.catch(() => undefined);
    await eventually(() => expect(upstream.waiting).toBe(1));
    abort.abort();
    await expect(call).rejects.toThrow();
    await eventually(() => expect(upstream.cancelled).toBe(round));
  }
  await eventually(async () => {
    const entry = { decision: 'allowed', result: 'unreachable', reason: 'aborted', sent: true };
    expect(await logged()).toMatchObject([entry, entry, entry, entry]);
  });
  await client.close();
});

describe('a call of a client that has shaken hands', () => {
  const shaken = async (as: McpParty, api?: AppProcess): Promise<BareMcp> => {
    const client = new BareMcp({ ...as, url: api?.url ?? as.url }, 'handshake');
    await client.shakeHands({});
    return client;
  };
  const call = (client: BareMcp, id: string | number, headers: Record<string, string> = {}) =>
    client.send(
      { jsonrpc: '2.0', id, method: 'tools/call', params: WAIT },
      { ...client.headersFor('tools/call'), ...headers },
    );
  const cancel = async (client: BareMcp, requestId: unknown, api: AppProcess): Promise<void> => {
    const notification = { jsonrpc: '2.0', method: 'notifications/cancelled', params: { requestId } };
    const { status } = await client.at(api.url).send(notification, client.headersFor('notifications/cancelled'));
    expect(status).toBe(202);
  };

  it('is cancelled from any process, and gets no answer', async () => {
    const client = await shaken(party, world.apis[0]);
    for (const [i, api] of world.apis.entries()) {
      const stream = call(client, `call ${i}`);
      await eventually(() => expect(upstream.waiting).toBe(1));
      await cancel(client, `call ${i}`, api);
      const { status, message, headers } = await stream;
      expect([status, message, headers.get('content-type')]).toEqual([200, null, 'text/event-stream']);
      await eventually(() => expect(upstream.cancelled).toBe(i + 1));
    }
    const json = call(client, 'json', { accept: 'application/json' });
    await eventually(() => expect(upstream.waiting).toBe(1));
    await cancel(client, 'json', world.apis[1] as AppProcess);
    expect([(await json).status, (await json).message]).toEqual([202, null]);
  });

  it('is not cancelled by another tenant, by another session of the protocol, or by another id', async () => {
    const client = await shaken(party, world.apis[0]);
    const stranger = await world.newTenant();
    const other = await tenant.session({ scopes: ['execute'] });
    const strange = await shaken({ ...party, key: stranger.key ?? '', session: await stranger.session() });
    const stream = call(client, 1);
    await eventually(() => expect(upstream.waiting).toBe(1));
    for (const api of world.apis) {
      await cancel(strange, 1, api);
      // With the session id of the one that waits, and a key of its own.
      await cancel(strange.as(client), 1, api);
      await cancel(await shaken(party), 1, api);
      // Another session of the same tenant that got hold of the client's.
      await cancel((await shaken({ ...party, session: other })).as(client), 1, api);
      await cancel(client, '1', api);
      await cancel(client, 2, api);
      await cancel(client, { id: 1 }, api);
    }
    await new Promise((resolve) => setTimeout(resolve, 500));
    expect([upstream.waiting, upstream.cancelled]).toEqual([1, 0]);
    await cancel(client, 1, world.apis[2] as AppProcess);
    expect((await stream).message).toBeNull();
  });

  it('uses no approval up when it is cancelled while it waits for it', async () => {
    await tenant.post('/v1/approvals/rules', { type: 'tool_blocked', tools: ['lib.wait'] });
    const client = await shaken(party, world.apis[0]);
    const stream = call(client, 1);
    const { request_id: id } = await pendingRequest(tenant);
    await cancel(client, 1, world.apis[1] as AppProcess);
    expect((await stream).message).toBeNull();
    await tenant.post(`/v1/approvals/${id}/approve`);
    await new Promise((resolve) => setTimeout(resolve, 700));
    expect((await tenant.get(`/v1/approvals/${id}`)).body).toMatchObject({ status: 'approved', consumed: false });
    expect(upstream.waiting).toBe(0);
  });
});
