import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { startEverything, startWorld, type World } from '@haldir/test-support';

type Json = Record<string, unknown>;
interface Document extends Json {
  paths: Record<string, Record<string, Json>>;
  components: {
    schemas: Record<string, Json>;
    responses: Json;
    parameters: Record<string, Json>;
    securitySchemes: Json;
  };
}

const root = join(import.meta.dirname, '..', '..');
const contract = read31(readFileSync(join(root, 'apps/api/src/openapi/v1-contract.json'), 'utf8')) as Document;

/** OpenAPI 3.0's `nullable` reads as `type: [T, "null"]`. */
function read31(text: string): unknown {
  return JSON.parse(text, (_key, value: unknown) => {
    if (typeof value !== 'object' || value === null || (value as Json)['nullable'] !== true) return value;
    const { nullable: _, type, ...rest } = value as Json;
    return { ...rest, type: [type, 'null'] };
  });
}

/** What `served` lacks or says differently, where it should hold all that `given` says. */
function missing(given: unknown, served: unknown, path: string): string[] {
  if (Array.isArray(given)) {
    if (!Array.isArray(served)) return [`${path} is no list`];
    return given.flatMap((item, i) =>
      typeof item === 'object' && item !== null
        ? missing(item, served[i], `${path}[${i}]`)
        : served.includes(item)
          ? []
          : [`${path} lacks ${String(item)}`],
    );
  }
  if (typeof given === 'object' && given !== null) {
    if (typeof served !== 'object' || served === null) return [`${path} is missing`];
    return Object.entries(given).flatMap(([key, value]) => missing(value, (served as Json)[key], `${path}/${key}`));
  }
  return Object.is(given, served) ? [] : [`${path} is ${JSON.stringify(served)}, not ${JSON.stringify(given)}`];
}

const NARROWING = [
  'minLength',
  'maxLength',
  'minimum',
  'maximum',
  'exclusiveMinimum',
  'pattern',
  'maxItems',
  'minItems',
  'enum',
];

/** Keywords by which `served` refuses what `given` allows. */
function narrowed(given: Json, served: Json, path: string, isRequest: boolean): string[] {
  const found = NARROWING.filter((word) => word in served && !(word in given)).map((word) => `${path} adds ${word}`);
  if (isRequest) {
    const required = (given['required'] as string[] | undefined) ?? [];
    for (const name of (served['required'] as string[] | undefined) ?? []) {
      if (!required.includes(name)) found.push(`${path} requires ${name}`);
    }
  }
  const properties = (given['properties'] ?? {}) as Record<string, Json>;
  for (const [name, schema] of Object.entries(properties)) {
    found.push(
      ...narrowed(
        schema,
        ((served['properties'] ?? {}) as Record<string, Json>)[name] ?? {},
        `${path}/${name}`,
        isRequest,
      ),
    );
  }
  return found;
}

const schemaOf = (holder: unknown): Json =>
  (holder as { content?: Record<string, { schema: Json }> } | undefined)?.content?.['application/json']?.schema ?? {};

let world: World;
let served: Document;
beforeAll(async () => {
  world = await startWorld();
  served = (await world.operator.get<Document>('/openapi.json')).body;
});
afterAll(() => world.stop());

const operations = Object.entries(contract.paths).flatMap(([path, methods]) =>
  Object.entries(methods).map(([method, operation]): [string, string, Json] => [path, method, operation]),
);

it('has all 31 operations of the contract', () => {
  expect(operations).toHaveLength(31);
  expect(operations.filter(([path, method]) => !served.paths[path]?.[method])).toEqual([]);
});

it.each(operations)('%s %s: lacks nothing and narrows nothing', (path, method, given) => {
  const ours = served.paths[path]?.[method] ?? {};
  expect(missing(given, ours, `${method} ${path}`)).toEqual([]);
  expect('security' in ours).toBe('security' in given);
  expect(narrowed(schemaOf(given['requestBody']), schemaOf(ours['requestBody']), 'request', true)).toEqual([]);
  for (const [status, response] of Object.entries(given['responses'] as Json)) {
    expect(narrowed(schemaOf(response), schemaOf((ours['responses'] as Json)[status]), status, false)).toEqual([]);
  }
});

it.each(operations)('%s %s: is served', async (path, method) => {
  const { status, body } = await world.operator.send(
    method.toUpperCase(),
    path.replace(/\{\w+\}/g, 'unknown'),
    method === 'get' ? undefined : {},
  );
  expect([status, (body as Json)['error']]).not.toEqual([404, 'Not found']);
  expect([405, 500, 501]).not.toContain(status);
});

it('has the tags, security and components of the contract', () => {
  expect(served['openapi']).toBe('3.1.0');
  expect(missing(contract['tags'], served['tags'], 'tags')).toEqual([]);
  expect(missing(contract['security'], served['security'], 'security')).toEqual([]);
  expect(missing(contract.components, served.components, 'components')).toEqual([]);
});

it('describes every route with an operationId of its own, a summary, a tag and an error answer', () => {
  const ids = new Set<string>();
  for (const [path, methods] of Object.entries(served.paths)) {
    for (const [method, operation] of Object.entries(methods)) {
      const where = `${method} ${path}`;
      expect(operation['operationId'], where).toEqual(expect.any(String));
      expect(ids.has(String(operation['operationId'])), where).toBe(false);
      ids.add(String(operation['operationId']));
      expect(operation['summary'], where).toEqual(expect.any(String));
      expect(operation['tags'], where).not.toHaveLength(0);
    }
  }
});

it('serves Swagger UI', async () => {
  const { status, body } = await world.operator.get<string>('/docs');
  expect(status).toBe(200);
  expect(body).toContain('swagger-ui');
});

it('names no server but the one that serves it, and the endpoint for agents', () => {
  expect(served['servers']).toEqual([{ url: '/' }]);
  expect(JSON.stringify(served)).not.toMatch(/0xN0rD|haldir\.xyz|three modules|\\\\[pP]\{/);
  expect(served.paths['/mcp']).toHaveProperty('post.operationId', 'mcp');
  const policy = served.components.schemas['ProxyPolicy'] as { properties: { type: { enum: string[] } } };
  expect(policy.properties.type.enum).toContain('require_approval');
});

/** The document's own example of a request. */
const exampleOf = (path: string): Json =>
  (served.paths[path]?.['post'] as { requestBody: { content: Record<string, { example: Json }> } }).requestBody.content[
    'application/json'
  ]?.example ?? {};

it('leads from a key to a governed call, by its examples and links, from top to bottom', async () => {
  const steps = ['/v1/keys', '/v1/sessions', '/v1/proxy/upstreams', '/v1/proxy/policies', '/v1/proxy/call'];
  expect(Object.keys(served.paths).slice(0, steps.length)).toEqual(steps);
  const upstream = await startEverything();
  try {
    const tenant = await world.newTenant();
    const post = async (path: string, body: Json): Promise<Json> => {
      const reply = await tenant.post<Json>(path, body);
      expect([path, reply.status, reply.body]).toEqual([
        path,
        reply.status < 300 ? reply.status : 'a success',
        reply.body,
      ]);
      return reply.body;
    };
    await post('/v1/keys', exampleOf('/v1/keys'));
    const { session_id } = await post('/v1/sessions', exampleOf('/v1/sessions'));
    // The one thing that is of this machine: the port that the example's server got.
    await post('/v1/proxy/upstreams', { ...exampleOf('/v1/proxy/upstreams'), url: upstream.url });
    await post('/v1/proxy/policies', exampleOf('/v1/proxy/policies'));
    const { links } = (served.paths['/v1/sessions']?.['post'] as { responses: Record<string, { links: Json }> })
      .responses['201'] ?? { links: {} };
    const { requestBody } = links['callTool'] as { requestBody: Json };
    const body = { ...requestBody, session_id };
    expect(requestBody).toEqual({ ...exampleOf('/v1/proxy/call'), session_id: '{$response.body#/session_id}' });
    expect(await post('/v1/proxy/call', body)).toMatchObject({ content: [{ text: 'Echo: hello' }] });
  } finally {
    await upstream.kill();
  }
});
