import { spawn } from 'node:child_process';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import fc from 'fast-check';
import {
  type Client,
  startTextUpstream,
  startWorld,
  STATELESS_VERSION,
  type TextUpstream,
  type World,
} from '@haldir/test-support';

let world: World;
let tenant: Client;
let session: string;
let upstream: TextUpstream;
let streaming: TextUpstream;

beforeAll(async () => {
  world = await startWorld();
  [upstream, streaming] = [await startTextUpstream(), await startTextUpstream('sse')];
  tenant = await world.newTenant();
  for (const [name, { url }] of Object.entries({ up: upstream, sse: streaming }))
    expect((await tenant.post('/v1/proxy/upstreams', { name, url })).body).toMatchObject({ tools_discovered: 1 });
  session = await tenant.session({ scopes: ['read', 'execute'] });
});
afterAll(async () => {
  await Promise.all([upstream.stop(), streaming.stop()]);
  await world.stop();
});

/** Sends a text and answers the text that came. */
async function send(path: string, body: string, headers: Record<string, string> = {}) {
  const response = await fetch(tenant.url + path, {
    method: 'POST',
    headers: { authorization: `Bearer ${tenant.key}`, 'content-type': 'application/json', ...headers },
    body,
  });
  return { status: response.status, text: await response.text() };
}

/** Numbers as JSON may write them: integers of up to 40 digits, up to 25 decimals, exponents. */
const number = fc
  .tuple(
    fc.constantFrom('', '-'),
    fc.oneof(fc.constant('0'), fc.stringMatching(/^[1-9]\d{0,39}$/)),
    fc.oneof(fc.constant(''), fc.stringMatching(/^\.\d{1,25}$/)),
    fc.oneof(fc.constant(''), fc.stringMatching(/^[eE][+-]?\d{1,2}$/)),
  )
  .map((parts) => parts.join(''));
const generated = (): string => {
  const numbers = [...fc.sample(number, 40), '9007199254740993', '1.0', '-0', '0.10', '1E5'];
  return `{"list":[${numbers.join(',')}],"deep":{"one":[{"id":${numbers[0]}}]},"text":"1.0"}`;
};

const restCall = (args: string, tool = 'up.echo', headers = {}) =>
  send('/v1/proxy/call', `{"tool":"${tool}","session_id":"${session}","arguments":${args}}`, headers);

describe('a number that is passed on', () => {
  it('arrives at an upstream and back over REST as it was written', async () => {
    for (const tool of ['up.echo', 'sse.echo']) {
      const args = generated();
      const { status, text: answer } = await restCall(args, tool);
      expect([status, (tool === 'up.echo' ? upstream : streaming).calls.at(-1)]).toEqual([200, args]);
      expect(answer).toContain(`"structuredContent":${args}`);
    }
  });

  it.each([STATELESS_VERSION, '2025-11-25', '2025-06-18', '2025-03-26', '2024-11-05'])(
    'arrives at an upstream and back over /mcp of %s as it was written, its id as well',
    async (version) => {
      const args = generated();
      const isStateless = version === STATELESS_VERSION;
      const meta = isStateless
        ? `,"_meta":{"io.modelcontextprotocol/protocolVersion":"${version}","io.modelcontextprotocol/clientInfo":{"name":"a","version":"1"},"io.modelcontextprotocol/clientCapabilities":{}}`
        : '';
      const headers = {
        ...{ accept: 'application/json, text/event-stream', 'x-session-id': session, 'mcp-protocol-version': version },
        ...(isStateless ? { 'mcp-method': 'tools/call', 'mcp-name': 'sse.echo' } : {}),
      };
      for (const id of ['1', '9007199254740993', `${'9'.repeat(40)}`, '7.0', '"9007199254740993"']) {
        const { status, text: answer } = await send(
          '/mcp',
          `{"jsonrpc":"2.0","id":${id},"method":"tools/call","params":{"name":"sse.echo","arguments":${args}${meta}}}`,
          headers,
        );
        expect([status, streaming.calls.at(-1)]).toEqual([200, args]);
        expect(answer).toContain(`"id":${id},`);
        expect(answer).toContain(`"structuredContent":${args}`);
      }
      const params = isStateless ? `,"params":{${meta.slice(1)}}` : '';
      const unknown = `{"jsonrpc":"2.0","id":9007199254740993,"method":"no/such"${params}}`;
      const refusal = await send('/mcp', unknown, { ...headers, 'mcp-method': 'no/such' });
      expect(refusal.text).toContain('"id":9007199254740993');
    },
  );

  it('arrives at an upstream and back over the bridge as it was written, its id as well', async () => {
    const args = generated();
    const program = join(import.meta.dirname, '..', '..', 'dist', 'apps', 'cli', 'src', 'main.js');
    const env = {
      PATH: process.env.PATH,
      HALDIR_URL: tenant.url,
      HALDIR_API_KEY: tenant.key ?? '',
      HALDIR_SESSION_ID: session,
    };
    const child = spawn(process.execPath, [program, 'mcp'], { env, stdio: 'pipe' });
    const id = '12345678901234567890';
    child.stdin.end(
      `{"jsonrpc":"2.0","id":${id},"method":"tools/call","params":{"name":"up.echo","arguments":${args}}}\n`,
    );
    const answer = await text(child.stdout);
    expect(upstream.calls.at(-1)).toBe(args);
    expect(answer).toContain(`"id":${id},`);
    expect(answer).toContain(`"structuredContent":${args}`);
  });

  it('arrives at an upstream and back as it was written where no double is so large or so small', async () => {
    const args = `{"n":[1e400,-1E+999,1e-400,${'9'.repeat(400)}]}`;
    const { status, text: answer } = await restCall(args);
    expect([status, upstream.calls.at(-1)]).toEqual([200, args]);
    expect(answer).toContain(`"structuredContent":${args}`);
  });

  it('is in the log as it was written', async () => {
    const details = generated();
    const logged = await send('/v1/audit', `{"session_id":"${session}","action":"counted","details":${details}}`);
    expect(logged.status).toBe(201);
    const { body } = await tenant.get<{ entries: { action: string; details: string }[] }>('/v1/audit?limit=10');
    expect(body.entries.find(({ action }) => action === 'counted')?.details).toBe(details);
    expect((await tenant.get('/v1/audit/verify')).body).toMatchObject({ verified: true });
  });

  it('is answered again under an Idempotency-Key as it was written, and another spelling is another request', async () => {
    const key = { 'idempotency-key': 'numbers' };
    const first = await restCall('{"n":1.0}', 'up.echo', key);
    const calls = upstream.calls.length;
    expect(await restCall('{"n":1.0}', 'up.echo', key)).toEqual(first);
    expect(first.text).toContain('"structuredContent":{"n":1.0}');
    expect(upstream.calls).toHaveLength(calls);
    for (const other of ['1', '1.00', '1e0'])
      expect((await restCall(`{"n":${other}}`, 'up.echo', key)).status).toBe(422);
  });
});

describe('an approval', () => {
  let rule: string;
  beforeAll(async () => {
    rule = String((await tenant.post('/v1/approvals/rules', { type: 'tool_blocked', tools: ['up.echo'] })).body['id']);
  });
  afterAll(() => tenant.delete(`/v1/approvals/rules/${rule}`));

  const heldFor = async (args: string): Promise<string> => {
    const { text: answer } = await restCall(args);
    return /apr_[0-9a-z]+/.exec(answer)?.[0] ?? answer;
  };

  it('shows the numbers of a call as they were written', async () => {
    const args = generated();
    const { body } = await tenant.get<{ details: string }>(`/v1/approvals/${await heldFor(args)}`);
    expect(body.details).toContain(`"arguments":${args}`);
  });

  it('of 9007199254740993 lets no 9007199254740992 through, nor one of 1 a 1.0', async () => {
    for (const [approved, others] of [
      ['9007199254740993', ['9007199254740992', '9007199254740993.0']],
      ['1', ['1.0', '1e0']],
    ] as const) {
      const id = await heldFor(`{"id":${approved}}`);
      await tenant.post(`/v1/approvals/${id}/approve`, {});
      const calls = upstream.calls.length;
      for (const other of others) expect(await heldFor(`{"id":${other}}`)).not.toBe(id);
      expect(upstream.calls).toHaveLength(calls);
      expect((await restCall(`{"id":${approved}}`)).text).toContain(`"structuredContent":{"id":${approved}}`);
      expect(upstream.calls.at(-1)).toBe(`{"id":${approved}}`);
    }
  });

  it('that an agent asks for shows the numbers of its details as they were written', async () => {
    const details = generated();
    const asked = await send('/v1/approvals/request', `{"session_id":"${session}","amount":10.0,"details":${details}}`);
    const { request_id: id } = JSON.parse(asked.text) as { request_id: string };
    expect((await tenant.get(`/v1/approvals/${id}`)).body).toMatchObject({ amount: 10, details });
  });
});

describe('a member of Haldir’s own', () => {
  const open = (members: string) => send('/v1/sessions', `{"agent_id":"a",${members}}`);

  it('is the number it is exactly, however that is written', async () => {
    for (const ttl of ['60', '60.0', '6e1', '6E+1', '600.0e-1'])
      expect(JSON.parse((await open(`"ttl":${ttl}`)).text), ttl).toMatchObject({ ttl: 60 });
  });

  it('that is exactly no number of Haldir’s is refused by its name', async () => {
    for (const ttl of ['60.00000000000000000001', '1e400', '9007199254740993.0', '-1e-400'])
      expect(await open(`"ttl":${ttl}`), ttl).toMatchObject({
        status: 400,
        text: expect.stringContaining('ttl: expected'),
      });
    const policy = await send('/v1/proxy/policies', '{"type":"block_tool","tool":"x","scope":1.0}');
    expect(policy).toMatchObject({ status: 400, text: expect.stringContaining('scope: ') });
  });
});
