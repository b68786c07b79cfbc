import { connect } from 'node:net';
import { setTimeout as pause } from 'node:timers/promises';
import {
  type AppProcess,
  Client,
  type Environment,
  startApi,
  startFakeUpstream,
  startTestPostgres,
  testEnvironment,
  text,
} from '@haldir/test-support';

const TOKEN = 'the-operators-own-bootstrap-token';

async function withApi(
  environment: Environment,
  work: (api: AppProcess, anyone: Client) => Promise<void>,
): Promise<void> {
  const api = await startApi(await testEnvironment(environment));
  try {
    await work(api, new Client(api.url, null));
  } finally {
    await api.stop();
  }
}

/** Asks `count` times, and expects what is over 1,200 in any minute to be refused as too many. */
async function expectSlowedDown(count: number, ask: (i: number) => Promise<{ status: number }>): Promise<void> {
  const found: Record<string, number> = {};
  const startedAt = performance.now();
  for (let sent = 0; sent < count; sent += 50) {
    const replies = await Promise.all(Array.from({ length: 50 }, (_, i) => ask(sent + i)));
    for (const { status } of replies) found[status] = (found[status] ?? 0) + 1;
  }
  const minutes = (performance.now() - startedAt) / 60_000;
  expect(Object.keys(found).sort()).toEqual(['401', '429']);
  expect(found[401]).toBeLessThanOrEqual(1200 * (1 + minutes));
  expect(found[429]).toBeGreaterThan(0);
}

describe('the keyless first key', () => {
  it('is given to no page of another origin, whatever Host it names', async () => {
    const environment = {
      HALDIR_PUBLIC_URL: 'https://haldir.example.com:8443',
      MCP_ALLOWED_HOSTS: 'tools.example.com',
    };
    await withApi(environment, async (api, anyone) => {
      const host = new URL(api.url).host;
      const foreign = ['https://evil.example', 'null', `http://${host}.evil.example`, 'https://haldir.example.com'];
      for (const origin of foreign) {
        const { status, body } = await anyone.post('/v1/keys', {}, { origin, 'idempotency-key': 'page' });
        expect([origin, status, body['key']]).toEqual([origin, 401, undefined]);
      }
      const rebound = await anyone.post('/v1/keys', {}, { origin: 'http://evil.example', host: 'evil.example' });
      expect([rebound.status, rebound.body['key']]).toEqual([401, undefined]);
      const own = { origin: 'https://haldir.example.com:8443' };
      expect((await anyone.post('/v1/keys', {}, own)).status).toBe(201);
    });
  });

  it('waits for the operator while other tenants have theirs, and leaves theirs alone', async () => {
    await withApi({ HALDIR_BOOTSTRAP_TOKEN: TOKEN }, async (api, anyone) => {
      const open = () => anyone.post<{ key: string }>('/v1/keys', { bootstrap_token: TOKEN });
      const [demo, again] = [await open(), await open()];
      expect([demo.status, again.status]).toEqual([201, 201]);
      expect((await new Client(api.url, demo.body.key).get('/v1/keys')).body).toMatchObject({ count: 1 });
      const first = await anyone.post<{ key: string }>('/v1/keys');
      expect(first.status).toBe(201);
      // The operator's tenant alone may give out a tier above its keys' own.
      expect((await new Client(api.url, first.body.key).post('/v1/keys', { tier: 'enterprise' })).status).toBe(201);
      expect((await anyone.post('/v1/keys')).status).toBe(401);
      expect((await open()).status).toBe(201);
    });
  });

  it('is refused without asking the database, once it was taken', async () => {
    const postgres = await startTestPostgres({ durable: false });
    const api = await startApi(await testEnvironment({ DATABASE_OWNER_URL: postgres.url }));
    try {
      const anyone = new Client(api.url, null);
      expect((await anyone.post('/v1/keys')).status).toBe(201);
      postgres.kill();
      expect((await anyone.post('/v1/keys')).status).toBe(401);
    } finally {
      await api.kill();
      await postgres.stop();
    }
  });

  it('is asked for in a loop at most 1,200 times a minute from one address', async () => {
    await withApi({}, async (_, anyone) => {
      expect((await anyone.post('/v1/keys')).status).toBe(201);
      await expectSlowedDown(1500, () => anyone.post('/v1/keys', {}));
    });
  });
});

describe('a stranger', () => {
  it('tries at most 1,200 bootstrap tokens a minute, and is told when to come again', async () => {
    await withApi({ HALDIR_BOOTSTRAP_TOKEN: TOKEN }, async (_, anyone) => {
      await expectSlowedDown(1500, (i) => anyone.post('/v1/keys', { bootstrap_token: `a wrong token, no. ${i}` }));
      // Room for a few comes back while they are asked.
      const more = await Promise.all(
        Array.from({ length: 200 }, () =>
          anyone.post<{ retry_after: number }>('/v1/keys', { bootstrap_token: 'one more of them' }),
        ),
      );
      const refused = more.filter(({ status }) => status === 429);
      expect(refused.length).toBeGreaterThan(0);
      for (const { body } of refused) {
        expect(body.retry_after).toBeGreaterThan(0);
        expect(body.retry_after).toBeLessThanOrEqual(60);
      }
      expect((await anyone.post('/v1/keys', { bootstrap_token: TOKEN })).status).toBe(201);
    });
  });

  it('that sends a byte of its body now and then is cut off, and a call that takes as long is not', async () => {
    const upstream = await startFakeUpstream('slow');
    upstream.answer = async () => {
      await pause(38_000);
      return text('done');
    };
    try {
      await withApi({ UPSTREAM_TIMEOUT_SECONDS: '60' }, async (api, anyone) => {
        const { body } = await anyone.post<{ key: string }>('/v1/keys');
        const operator = new Client(api.url, body.key);
        await operator.post('/v1/proxy/upstreams', { name: 'lib', url: upstream.url });
        const session_id = await operator.session({ scopes: ['execute'] });
        const [cut, call] = await Promise.all([
          dribble(api.url),
          operator.post('/v1/proxy/call', { session_id, tool: 'lib.slow', arguments: {} }),
        ]);
        expect(cut.answer).toMatch(/^HTTP\/1\.1 408 /);
        expect(cut.sent).toBeLessThan(55);
        expect(call.status).toBe(200);
      });
    } finally {
      await upstream.stop();
    }
  });
});

/** Sends a request a byte a second, up to a minute; answers what came back, and how many were sent by then. */
async function dribble(url: string): Promise<{ answer: string; sent: number }> {
  const socket = connect({ host: '127.0.0.1', port: Number(new URL(url).port) });
  let answer = '';
  let closed = false;
  socket.on('data', (chunk: Buffer) => (answer += chunk.toString()));
  socket.on('error', () => (closed = true)).on('close', () => (closed = true));
  socket.write(
    'POST /v1/keys HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\nContent-Length: 1000\r\n\r\n{',
  );
  let sent = 0;
  for (; sent < 60 && !closed; sent++) {
    await pause(1000);
    if (!closed && socket.writable) socket.write(' ');
  }
  socket.destroy();
  return { answer, sent };
}
