import { type Client, type FakeUpstream, type Receiver, type World } from '@haldir/test-support';
import { ApiDocument } from '../../contract/api-document.js';
import { Belongings } from '../../contract/belongings.js';
import { type Canary } from './canaries.js';
import { askRaw } from './places.js';
import { type Push, pushesOf, VALUES } from './pushes.js';
import { type Answer, type Requests } from './requests.js';

interface Places {
  world: World;
  receiver: Receiver;
  upstream: FakeUpstream;
}

/** Everywhere in every operation of the served document, valid and broken. */
export async function pushEverywhere(requests: Requests, { world, receiver, upstream }: Places): Promise<void> {
  const document = await ApiDocument.servedBy(world.operator);
  const neighbours = { upstreamUrl: upstream.url, receiverUrl: receiver.url('pushed') };
  const belongings = await Belongings.of(await world.newTenant(), neighbours);
  const origin = new URL(receiver.url('')).origin;
  const pushes: Push[] = [];
  for (const operation of document.operations) {
    const input = await belongings.input(operation.id);
    pushes.push(...pushesOf(operation, input, requests.canaries, origin));
  }
  const work = async (): Promise<void> => {
    for (let push = pushes.shift(); push; push = pushes.shift()) {
      await requests.ask(belongings.client, push.canary.operation, push, push.canary);
    }
  };
  await Promise.all(Array.from({ length: 8 }, work));
}

/** Paths that nobody serves, methods that no path takes, bytes that are no HTTP, and a protocol beside REST. */
export async function pushBeyondTheDocument(requests: Requests, tenant: Client): Promise<void> {
  const json = { 'content-type': 'application/json' };
  const push = async (place: string, request: (text: string) => Partial<Omit<Push, 'canary'>>): Promise<void> => {
    const canary = requests.canaries.next('beyond the document', place);
    const made = { method: 'GET', path: '/', headers: {}, ...request(canary.text) };
    await requests.ask(tenant, canary.operation, made, canary);
  };
  await push('unknown path', (text) => ({ path: `/v1/${text}` }));
  await push('unknown path with a query', (text) => ({ path: `/nowhere?token=${text}` }));
  await push('wrong method', (text) => ({ method: 'PUT', path: `/v1/secrets/${text}`, headers: json, body: '{}' }));
  await push('broken escape', (text) => ({ path: `/v1/secrets/%zz${text}` }));
  await push('docs', (text) => ({ path: `/docs/${text}` }));
  await push('broken query', (text) => ({ path: `/v1/audit?limit=${text}%zz` }));
  for (const bytes of [
    (text: string) => `${text}\r\n\r\n`,
    (text: string) => `GET /v1/${text} HTTP/9.9\r\n\r\n`,
    (text: string) => `GET /v1 HTTP/1.1\r\nHost: a\r\n${text} broken\r\n\r\n`,
    (text: string) => `GET /v1 HTTP/1.1\r\nHost: a\r\nX: ${text.repeat(2_000)}\r\n\r\n`,
    (text: string) => `POST /v1/secrets HTTP/1.1\r\nHost: a\r\nContent-Length: ${text}\r\n\r\n`,
    (text: string) => `POST /v1/secrets HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n${text}\r\n`,
  ]) {
    const canary = requests.canaries.next('beyond the document', 'no HTTP');
    canary.status = 400;
    const written = await askRaw(tenant.url, bytes(canary.text));
    requests.answers.push({ canary, operation: canary.operation, status: 400, written });
  }
}

/** Every argument of every tool that /mcp offers, and members of the messages around them. */
export async function pushThroughMcp(requests: Requests, tenant: Client, { world, upstream }: Places): Promise<void> {
  const headers = { 'content-type': 'application/json', accept: 'application/json, text/event-stream' };
  const send = (
    by: Client,
    operation: string,
    message: object,
    canary: Canary | null,
    session?: string,
  ): Promise<Answer> => {
    const body = JSON.stringify({ jsonrpc: '2.0', id: 7, ...message });
    const named = session === undefined ? headers : { ...headers, 'x-session-id': session };
    return requests.ask(by, operation, { method: 'POST', path: '/mcp', headers: named, body }, canary);
  };
  const read = { method: 'tools/call', params: { name: 'getSecret', arguments: { name: 'vault' } } };
  await send(tenant, 'mcp getSecret', read, null);

  const owner = await world.newTenant();
  await owner.post('/v1/proxy/upstreams', { name: 'up', url: upstream.url });
  let session_id = '';
  const valid = (): Record<string, unknown> => ({
    session_id,
    name: 'n',
    value: 'v',
    amount: 1,
    action: 'a',
    agent_id: 'a',
    scope: 'read',
  });
  for (const audience of ['operator', 'agent']) {
    session_id = await owner.session({ scopes: ['read', 'execute', 'spend:10'] });
    const session = audience === 'agent' ? session_id : undefined;
    const listed = await send(owner, 'mcp tools/list', { method: 'tools/list' }, null, session);
    const { result } = JSON.parse(listed.written.slice(listed.written.indexOf('\n'))) as {
      result: { tools: { name: string; inputSchema: { properties?: Record<string, object> } }[] };
    };
    expect(result.tools.length).toBeGreaterThan(4);
    for (const { name, inputSchema } of result.tools) {
      const own = name.split('.').at(-1) ?? name;
      const members = Object.keys(inputSchema.properties ?? { message: {} });
      const given = Object.fromEntries(Object.entries(valid()).filter(([member]) => members.includes(member)));
      for (const member of [...members, 'unknown']) {
        for (const [as, write] of Object.entries(VALUES)) {
          const canary = requests.canaries.next(own, `${member} as ${as}`);
          const params = { name, arguments: { ...given, [member]: write(canary.text) } };
          await send(owner, `mcp ${own}`, { method: 'tools/call', params }, canary, session);
        }
      }
    }
  }
  for (const [place, message] of Object.entries({
    method: (text: string) => ({ method: text }),
    'a tool’s name': (text: string) => ({ method: 'tools/call', params: { name: text, arguments: {} } }),
    'a list of params': (text: string) => ({ method: 'tools/list', params: [text] }),
    'params as a text': (text: string) => ({ method: 'tools/list', params: text }),
    'arguments as a text': (text: string) => ({ method: 'tools/call', params: { name: 'up.echo', arguments: text } }),
    cursor: (text: string) => ({ method: 'tools/list', params: { cursor: text } }),
    'client info': (text: string) => ({
      method: 'initialize',
      params: { protocolVersion: text, clientInfo: { name: text } },
    }),
    'an unknown member': (text: string) => ({ method: 'ping', [text]: text }),
    jsonrpc: (text: string) => ({ jsonrpc: text, method: 'ping' }),
  })) {
    const canary = requests.canaries.next('mcp', place);
    await send(owner, 'mcp', message(canary.text), canary, session_id);
  }
}
