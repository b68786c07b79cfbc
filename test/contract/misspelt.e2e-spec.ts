import { BareMcp, Client, type Reply, saidBy, startWorld, type World } from '@haldir/test-support';

type Json = Record<string, unknown>;

/** A name that a member is not called, and where it stands. */
interface Misspelling {
  path: string;
  sent: string;
  /** The names that it may stand for. */
  known: readonly string[];
  body: Json;
}

let world: World;
let tenant: Client;
/** Whose key the operations of connectors take. */
let connector: Client;
let document: Json;
beforeAll(async () => {
  world = await startWorld();
  tenant = await world.newTenant();
  const { body } = await tenant.post<{ key: string }>('/v1/keys', { connector: { upstream: 'x' } });
  connector = new Client(tenant.url, body.key);
  document = (await tenant.get('/openapi.json')).body;
});
afterAll(() => world.stop());

const askerOf = (path: string): Client => (path.startsWith('/v1/connectors/') ? connector : tenant);

/** Every misspelling of a name by one letter anywhere, by case, by underscores and by a plural s. */
function misspellingsOf(name: string, known: readonly string[]): string[] {
  const at = [...name].flatMap((letter, i) => {
    const [before, after] = [name.slice(0, i), name.slice(i + 1)];
    const swapped = name[i + 1] === undefined ? [] : [before + name[i + 1] + letter + name.slice(i + 2)];
    return [before + after, `${before}q${after}`, `${before}q${name.slice(i)}`, ...swapped];
  });
  const written = [
    name.toUpperCase(),
    name.replaceAll(/_(\w)/g, (_, letter: string) => letter.toUpperCase()),
    name.replaceAll('_', ''),
    name.replaceAll('_', '-'),
    `_${name}`,
    `${name}_`,
    name.endsWith('s') ? name.slice(0, -1) : `${name}s`,
    `${name}q`,
  ];
  return [...new Set([...at, ...written])].filter((other) => other !== '' && !known.includes(other));
}

const resolved = (schema: Json, root = document): Json =>
  typeof schema['$ref'] === 'string'
    ? schema['$ref']
        .split('/')
        .slice(1)
        .reduce((value, part) => value[part] as Json, root)
    : schema;

/** The schemas that one is made of. */
function alternatives(given: Json, root: Json): Json[] {
  const schema = resolved(given, root);
  const kinds = (schema['oneOf'] ?? schema['anyOf'] ?? schema['allOf']) as Json[] | undefined;
  return kinds ? kinds.flatMap((kind) => alternatives(kind, root)) : [schema];
}

/** Every misspelling of every member of a schema, at every depth. */
function misspelt(root: Json, schema: Json, around: (inner: unknown) => Json, path = ''): Misspelling[] {
  const kinds = alternatives(schema, root).filter((kind) => kind['properties'] !== undefined);
  const members = kinds.flatMap((kind) => Object.entries(kind['properties'] as Record<string, Json>));
  const known = [...new Set(members.map(([name]) => name))];
  return members.flatMap(([name, member]) => [
    ...misspellingsOf(name, known).map((sent) => ({ path, sent, known, body: around({ [sent]: 'x' }) })),
    ...misspelt(root, member, (inner) => around({ [name]: inner }), `${path}${name}.`),
    ...alternatives(member, root).flatMap(({ items }) =>
      items ? misspelt(root, items as Json, (inner) => around({ [name]: [inner] }), `${path}${name}.0.`) : [],
    ),
  ]);
}

interface Asked {
  id: string;
  method: string;
  path: string;
  body: Json | null;
  query: string[];
}

function operations(): Asked[] {
  const paths = Object.entries(document['paths'] as Record<string, Record<string, Json>>);
  // What is JSON-RPC has its own test below.
  return paths
    .filter(([path]) => path !== '/mcp')
    .flatMap(([path, methods]) =>
      Object.entries(methods).map(([method, operation]) => {
        const content = (resolved((operation['requestBody'] ?? {}) as Json)['content'] ?? {}) as Record<string, Json>;
        const parameters = ((operation['parameters'] ?? []) as Json[]).map((parameter) => resolved(parameter));
        return {
          id: String(operation['operationId']),
          method: method.toUpperCase(),
          path: path.replaceAll(/\{\w+\}/g, '1'),
          body: (content['application/json']?.['schema'] as Json | undefined) ?? null,
          query: parameters.filter((parameter) => parameter['in'] === 'query').map(({ name }) => String(name)),
        };
      }),
    );
}

/** What is wrong with the refusal of a misspelling. */
function faults({ status, body }: Reply, code: string, sent: string, known: readonly string[]): string[] {
  const meant = body['did_you_mean'];
  const right =
    status === 400 &&
    body['code'] === code &&
    body['field'] === sent &&
    known.includes(String(meant)) &&
    String(body['error']).includes(sent) &&
    String(body['error']).includes(String(meant));
  return right ? [] : [`${status} ${JSON.stringify(body)}`];
}

/** Asks for each of many things, a few at once, and answers what is wrong with the answers. */
async function all<One>(many: readonly One[], ask: (one: One) => Promise<string[]>): Promise<string[]> {
  const found: string[] = [];
  const next = many.values();
  const work = async (): Promise<void> => {
    for (const one of next) found.push(...(await ask(one)));
  };
  await Promise.all(Array.from({ length: 16 }, work));
  return found;
}

it('every member of every body, misspelt in every way, is a 400 that names it and the one that was meant', async () => {
  const cases = operations().flatMap((operation) =>
    operation.body
      ? misspelt(document, operation.body, (body) => body as Json).map((one) => ({ operation, ...one }))
      : [],
  );
  const found = await all(cases, async ({ operation: { id, method, path: url }, path, sent, known, body }) => {
    const reply = await askerOf(url).send(method, url, body);
    return faults(reply, 'unknown_member', path + sent, known).map((fault) => `${id} ${path}${sent}: ${fault}`);
  });
  expect(found).toEqual([]);
  expect(cases.length).toBeGreaterThan(2_000);
  expect([...new Set(cases.map(({ path }) => path))]).toEqual(
    expect.arrayContaining(['', 'scope.', 'auth.', 'bindings.0.', 'policies.0.', 'policies.0.scope.']),
  );
}, 300_000);

it('every name of every query, misspelt in every way, is a 400 that names it and the one that was meant', async () => {
  const cases = operations().flatMap((operation) =>
    operation.query.flatMap((name) =>
      [...misspellingsOf(name, operation.query), `${name}[]`].map((sent) => ({ ...operation, sent })),
    ),
  );
  const found = await all(cases, async ({ id, method, path, query, sent }) => {
    const reply = await askerOf(path).send(method, `${path}?${encodeURIComponent(sent)}=1`);
    return faults(reply, 'unknown_parameter', sent, query).map((fault) => `${id} ?${sent}: ${fault}`);
  });
  expect(found).toEqual([]);
  expect(cases.length).toBeGreaterThan(2_000);
}, 300_000);

it('a name in the query that is near nothing is a 400 on every route, and names what is known', async () => {
  const secured = operations().filter(({ path }) => path.startsWith('/v1/') && !path.endsWith('/status'));
  const found = await all(secured, async ({ id, method, path }) => {
    const { status, body } = await askerOf(path).send(method, `${path}?zebra=1`, method === 'GET' ? undefined : {});
    return status === 400 && body['code'] === 'unknown_parameter' && body['field'] === 'zebra'
      ? []
      : [`${id} ${status}`];
  });
  expect(found).toEqual([]);
});

it('every argument of every own tool, misspelt in every way, is refused with the one that was meant', async () => {
  const session = await tenant.session({ scopes: ['read'] });
  const party = { url: tenant.url, key: tenant.key ?? '' };
  for (const mcp of [new BareMcp(party), new BareMcp({ ...party, session })]) {
    const { message } = await mcp.ask('tools/list');
    const tools = message?.result?.['tools'] as { name: string; inputSchema: Json }[];
    const cases = tools.flatMap(({ name, inputSchema }) =>
      misspelt(inputSchema, inputSchema, (body) => body as Json).map((one) => ({ ...one, name })),
    );
    const found = await all(cases, async ({ name, path, sent, known, body }) => {
      const said = saidBy(await mcp.call(name, body)) as Json;
      const reply = { status: 400, headers: new Headers(), body: said };
      return faults(reply, 'unknown_member', path + sent, [...known, 'session_id']).map((fault) => `${name}: ${fault}`);
    });
    expect(found).toEqual([]);
    expect(cases.length).toBeGreaterThan(200);
  }
}, 300_000);

it('every operation with a body says in the document that its answer may have warnings', () => {
  const { '/mcp': _, ...paths } = document['paths'] as Record<string, Record<string, Json>>;
  const silent = Object.values(paths)
    .flatMap((methods) => Object.values(methods))
    .filter((operation) => operation['requestBody'] !== undefined)
    .filter((operation) => {
      const [, answer = {}] =
        Object.entries(operation['responses'] as Record<string, Json>).find(([status]) => status.startsWith('2')) ?? [];
      const schema = ((answer['content'] as Record<string, Json>)['application/json']?.['schema'] ?? {}) as Json;
      return !('warnings' in (resolved(schema)['properties'] as Json));
    });
  expect(silent.map(({ operationId }) => operationId)).toEqual([]);
});

describe('a foreign member', () => {
  it('that is near nothing is named in the warnings of the answer, and of a retry’s, and is no error', async () => {
    const body = { agent_id: 'a', budget: 5, zebra: { deep: 1 } };
    const headers = { 'idempotency-key': 'foreign' };
    for (const _ of [1, 2]) {
      const { status, body: answer } = await tenant.post('/v1/sessions', body, headers);
      expect([status, answer['warnings']]).toEqual([
        201,
        ['budget: no member of this name; ignored', 'zebra: no member of this name; ignored'],
      ]);
    }
    expect((await tenant.post('/v1/sessions', { agent_id: 'a' })).body).not.toHaveProperty('warnings');
    const said = saidBy(
      await new BareMcp({ url: tenant.url, key: tenant.key ?? '' }).call('createSession', { agent_id: 'a', zebra: 1 }),
    );
    expect(said).toMatchObject({ agent_id: 'a', warnings: ['zebra: no member of this name; ignored'] });
  });

  it.each([
    ['createSession', '/v1/sessions', { agent_id: 'a', scope: ['read'] }, 'scope', 'scopes'],
    ['createSession', '/v1/sessions', { agent_id: 'a', spendLimit: 5 }, 'spendLimit', 'spend_limit'],
    ['storeSecret', '/v1/secrets', { name: 'n', value: 'v', scopeRequired: 'pay' }, 'scopeRequired', 'scope_required'],
    ['storeSecret', '/v1/secrets', { name: 'n', value: 'v', expiresAt: 1 }, 'expiresAt', 'expires_at'],
    ['registerWebhook', '/v1/webhooks', { url: 'http://127.0.0.1:9/', event: ['anomaly'] }, 'event', 'events'],
    ['addProxyPolicy', '/v1/proxy/policies', { type: 'block_tool', tool: 'a', scop: {} }, 'scop', 'scope'],
  ])('of %s %s that was tried in the field is refused', async (_id, path, body, sent, meant) => {
    const { status, body: answer } = await tenant.post(path, body);
    expect([status, answer['code'], answer['field'], answer['did_you_mean']]).toEqual([
      400,
      'unknown_member',
      sent,
      meant,
    ]);
  });

  it('is no matter in a map of free members', async () => {
    const details = { Tool: 1, spendLimit: 2, session: 3 };
    const logged = await tenant.post('/v1/audit', { session_id: await tenant.session(), action: 'a', details });
    expect([logged.status, logged.body['warnings']]).toEqual([201, undefined]);
    const call = { session_id: await tenant.session(), tool: 'none', arguments: { Tool: 1, arguements: 2 } };
    expect((await tenant.post('/v1/proxy/call', call)).body).toMatchObject({ code: 'unknown_tool' });
  });
});
