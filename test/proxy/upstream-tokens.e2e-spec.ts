import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import { type AddressInfo } from 'node:net';
import { text } from 'node:stream/consumers';
import { type Client, type Reply, startWorld, type World } from '@haldir/test-support';
import { type EchoingUpstream, startEchoingUpstream } from './echoing-upstream.js';
import { formsOf, randomText } from '../platform/leaks/traces.js';

interface Asked {
  authorization: string | undefined;
  form: Record<string, string>;
}
type Answerer = (asked: Asked) => { status?: number; headers?: Record<string, string>; body: string };

const clientSecret = `${randomText(12)}/+ ${randomText(12)}`;
let world: World;
let upstream: EchoingUpstream;
let server: Server;
let tenant: Client;
let session: string;
let asked: Asked[];
/** Tokens in the order they were given. */
let given: string[];
let answer: Answerer;
beforeAll(async () => {
  world = await startWorld();
  upstream = await startEchoingUpstream('2025-11-25', 'json');
  server = createServer((request, response) => void serve(request, response));
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
});
beforeEach(async () => {
  tenant = await world.newTenant();
  session = await tenant.session({ agent_id: 'agent', scopes: ['execute'] });
  [asked, given] = [[], []];
  answer = () => ({ body: JSON.stringify({ access_token: newToken(), token_type: 'Bearer', expires_in: 3600 }) });
  upstream.refuses = ({ authorization }) => authorization !== `Bearer ${given.at(-1)}`;
  await tenant.post('/v1/secrets', { name: 'client', value: clientSecret, bindings: [{ upstream: 'up' }] });
});
afterAll(async () => {
  server.closeAllConnections();
  await Promise.all([upstream.stop(), new Promise((resolve) => server.close(resolve))]);
  await world.stop();
});

async function serve(request: IncomingMessage, response: ServerResponse): Promise<void> {
  const one = {
    authorization: request.headers.authorization,
    form: Object.fromEntries(new URLSearchParams(await text(request))),
  };
  asked.push(one);
  const { status = 200, headers = {}, body } = answer(one);
  response.writeHead(status, { 'content-type': 'application/json', ...headers }).end(body);
}

function newToken(): string {
  given.push(randomText(30));
  return given.at(-1) ?? '';
}

const tokenUrl = (): string => `http://127.0.0.1:${(server.address() as AddressInfo).port}/token`;
const register = (auth: object = {}, more: object = {}): Promise<Reply> =>
  tenant.post('/v1/proxy/upstreams', {
    ...{ name: 'up', url: upstream.url, ...more },
    auth: {
      ...{ type: 'client_credentials', token_url: tokenUrl(), client_id: 'haldir:1' },
      ...{ client_secret: '{{vault:client}}', ...auth },
    },
  });
const call = (args: object = {}): Promise<Reply> =>
  tenant.post('/v1/proxy/call', { tool: 'up.echo', arguments: args, session_id: session });
const refresh = (): Promise<Reply> => tenant.post('/v1/proxy/upstreams/up/refresh');

it('of client credentials goes with every request, is asked for once, and comes back in no form', async () => {
  const { body } = await register({ scope: 'tools:read tools:call', resource: 'https://up.example/mcp' });
  expect(body).toMatchObject({ healthy: true, tools_discovered: 2 });
  const basic = Buffer.from(`haldir%3A1:${new URLSearchParams({ '': clientSecret }).toString().slice(1)}`);
  expect(asked).toEqual([
    {
      authorization: `Basic ${basic.toString('base64')}`,
      form: {
        grant_type: 'client_credentials',
        scope: 'tools:read tools:call',
        resource: 'https://up.example/mcp',
      },
    },
  ]);
  const replies = await Promise.all(Array.from({ length: 20 }, () => call({ header: 'authorization', as: 'base64' })));
  replies.push(await call({ header: 'authorization', as: 'raw' }));
  expect(new Set(replies.map(({ status }) => status))).toEqual(new Set([200]));
  // The process that examined the upstream has the token; whoever registers anew asks anew.
  expect(asked).toHaveLength(1);
  const said = JSON.stringify(replies.map((reply) => reply.body));
  for (const { pattern } of formsOf(given[0] ?? '')) expect(said).not.toContain(pattern.toString());
  expect(said).toContain('[secret:access token]');
});

it('is asked for anew when the upstream takes it no more, once for all that need it', async () => {
  await register();
  upstream.refuses = ({ authorization }) => authorization === `Bearer ${given[0]}`;
  const replies = await Promise.all(Array.from({ length: 20 }, () => call()));
  expect(replies.filter(({ status }) => status !== 200).map(({ body }) => body)).toEqual([]);
  expect(asked).toHaveLength(2);
  upstream.refuses = () => true;
  expect((await call()).status).toBe(502);
  expect((await refresh()).body).toMatchObject({ healthy: false, error: expect.stringContaining('authorization') });
});

it('is asked for anew before it expires', async () => {
  answer = () => ({ body: JSON.stringify({ access_token: newToken(), token_type: 'bearer', expires_in: 1 }) });
  await register();
  expect((await call()).status).toBe(200);
  const before = asked.length;
  await new Promise((resolve) => setTimeout(resolve, 950));
  expect((await call()).status).toBe(200);
  expect(asked.length).toBe(before + 1);
});

it('is asked for with the client in the form where the server wants it there', async () => {
  answer = ({ authorization, form }) =>
    authorization === undefined && form['client_secret'] === clientSecret && form['client_id'] === 'haldir:1'
      ? { body: JSON.stringify({ access_token: newToken(), token_type: 'Bearer' }) }
      : { status: 400, body: '{"error":"invalid_client"}' };
  expect((await register()).body).toMatchObject({ healthy: true });
  expect(asked).toHaveLength(2);
});

const failures: [what: string, answer: ReturnType<Answerer>][] = [
  ['refuses the client', { status: 401, body: '{"error":"invalid_client"}' }],
  ['answers nonsense', { body: '<html>' }],
  ['gives a token of another kind', { body: '{"access_token":"0123456789","token_type":"mac"}' }],
  ['gives no token', { body: '{"token_type":"bearer"}' }],
  ['gives one that is no header', { body: '{"access_token":"01234 56789\\n","token_type":"bearer"}' }],
  ['answers with more than anyone needs', { body: JSON.stringify({ access_token: 'x'.repeat(100_000) }) }],
  ['sends elsewhere', { status: 302, headers: { location: 'http://127.0.0.1:1/' }, body: '' }],
];
it.each(failures)('that %s is a finding, and the upstream hears nothing', async (_what, answered) => {
  answer = () => answered;
  const before = upstream.seen.length;
  const { status, body } = await register();
  expect([status, body]).toMatchObject([201, { healthy: false, error: expect.stringContaining('access token') }]);
  expect(upstream.seen.length).toBe(before);
  answer = () => ({ body: JSON.stringify({ access_token: newToken(), token_type: 'Bearer' }) });
  expect((await refresh()).body).toMatchObject({ healthy: true });
  expect((await call()).status).toBe(200);
});

it('is not got with a secret that is bound to another upstream', async () => {
  await tenant.post('/v1/secrets', { name: 'client', value: clientSecret, bindings: [{ upstream: 'else' }] });
  expect((await register()).body).toMatchObject({ healthy: false, error: expect.stringContaining('secret') });
  expect(asked).toEqual([]);
});

it('is shown by where it comes from and for whom; the secret is not, nor is it in the database', async () => {
  const written = `${randomText(20)} in plain`;
  await register({ client_secret: written });
  const { body } = await tenant.get<{ upstreams: Record<string, object> }>('/v1/proxy/upstreams');
  expect(body.upstreams['up']).toMatchObject({
    auth: { type: 'client_credentials', token_origin: new URL(tokenUrl()).origin, client_id: 'haldir:1' },
  });
  const audit = await tenant.get('/v1/audit?limit=1000');
  const rows = await world.sql<{ row: string }>('SELECT u::text AS row FROM proxy_upstream u WHERE tenant_id = $1', [
    await world.tenantOf(tenant),
  ]);
  const everything = JSON.stringify([body, audit.body, rows]);
  for (const { pattern } of formsOf(written)) expect(everything).not.toContain(pattern.toString());
});

it.each([
  [{ type: 'password' }, 'auth.type'],
  [{ token_url: 'ftp://a' }, 'auth.token_url'],
  [{ token_url: 'http://169.254.169.254/token' }, 'auth.token_url'],
  [{ client_id: '' }, 'auth.client_id'],
  [{ client_secret: '{{vault:' }, 'auth.client_secret'],
  [{ scope: ' ' }, 'auth.scope'],
])('of %j is refused, naming %s', async (fault, field) => {
  const { status, body } = await register(fault);
  expect([status, body['error']]).toEqual([400, expect.stringMatching(new RegExp(`^${field}\\b`))]);
  expect(asked).toEqual([]);
});

it('stands in no header beside it', async () => {
  const { status, body } = await register({}, { headers: { authorization: 'Basic abcdefgh' } });
  expect([status, body['error']]).toEqual([400, expect.stringMatching(/^auth: /)]);
});
