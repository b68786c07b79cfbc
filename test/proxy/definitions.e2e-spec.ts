import { hash } from 'node:crypto';
import {
  connectMcp,
  connectOldMcp,
  type FakeUpstream,
  type ResourceUpstream,
  Scenario,
  sharedWorld,
  startFakeUpstream,
  startResourceUpstream,
  type World,
} from '@haldir/test-support';
import fc from 'fast-check';
import { brokenOthers, brokenTools, type Definition, oddNames, WHOLE } from './broken-definitions.js';

interface Refused {
  name: string;
  reason: string;
}

const SEED = 20_261_130;
const GOOD = { ...WHOLE, execution: { taskSupport: 'forbidden' } };

let world: World;
let scenario: Scenario;
beforeAll(async () => {
  world = await sharedWorld();
});
beforeEach(async () => {
  scenario = await Scenario.begin(world);
});
afterEach(() => scenario.end());

const offering = async (tools: Definition[]): Promise<FakeUpstream> => {
  const upstream = scenario.keep(await startFakeUpstream());
  upstream.tools = tools as FakeUpstream['tools'];
  return upstream;
};
const registered = async (name: string, { url }: { url: string }): Promise<Record<string, unknown>> => {
  const { status, body } = await scenario.register(name, url, { tools_max_age: 0 });
  expect([status, body['healthy']]).toEqual([201, true]);
  return body;
};
const shownUpstream = async (name: string): Promise<Record<string, unknown>> => {
  const { body } = await scenario.tenant.get<{ upstreams: Record<string, Record<string, unknown>> }>(
    '/v1/proxy/upstreams',
  );
  return body.upstreams[name] ?? {};
};

interface Page {
  nextCursor?: string | undefined;
}

/** As much of an official client as this is about, whichever it is. */
interface Lister {
  listTools(from?: { cursor?: string }): Promise<Page & { tools: { name: string }[] }>;
  listResources(from?: { cursor?: string }): Promise<Page & { resources: { uri: string }[] }>;
  listResourceTemplates(from?: { cursor?: string }): Promise<Page & { resourceTemplates: { uriTemplate: string }[] }>;
  listPrompts(from?: { cursor?: string }): Promise<Page & { prompts: { name: string }[] }>;
  close(): Promise<void>;
}

/** All pages of a list. */
async function whole<One extends Page>(
  ask: (from: { cursor?: string }) => Promise<One>,
  items: (page: One) => string[],
): Promise<string[]> {
  const all: string[] = [];
  let cursor: string | undefined;
  do {
    const page = await ask(cursor === undefined ? {} : { cursor });
    all.push(...items(page));
    cursor = page.nextCursor;
  } while (cursor !== undefined);
  return all;
}

type Listing = Record<'tools' | 'resources' | 'templates' | 'prompts', string[]>;

/** What each official client makes of all lists: version 1, and version 2 in both of its revisions. */
async function listings(): Promise<Listing[]> {
  const party = { url: scenario.tenant.url, key: scenario.tenant.key ?? '', session: scenario.session };
  const clients: Lister[] = [await connectOldMcp(party), await connectMcp(party, 'handshake'), await connectMcp(party)];
  const found: Listing[] = [];
  for (const client of clients) {
    found.push({
      tools: await whole(
        (page) => client.listTools(page),
        ({ tools }) => tools.map(({ name }) => name),
      ),
      resources: await whole(
        (page) => client.listResources(page),
        ({ resources }) => resources.map(({ uri }) => uri),
      ),
      templates: await whole((page) => client.listResourceTemplates(page), ({ resourceTemplates }) => resourceTemplates.map(({ uriTemplate }) => uriTemplate)), // prettier-ignore
      prompts: await whole(
        (page) => client.listPrompts(page),
        ({ prompts }) => prompts.map(({ name }) => name),
      ),
    });
    await client.close();
  }
  return found;
}

/** Tools of upstreams that every client is shown, without Haldir's own; all clients are shown the same. */
async function shownTools(): Promise<string[]> {
  const [first, ...others] = (await listings()).map(({ tools }) => tools.filter((name) => name.startsWith('up')));
  for (const other of others) expect(other).toEqual(first);
  return first ?? [];
}

const names = (refused: unknown): string[] => ((refused ?? []) as Refused[]).map(({ name }) => name);
const SCHEMA = { inputSchema: { type: 'object' } };
const output = (outputSchema: unknown): Definition => ({ ...SCHEMA, outputSchema });

describe('one tool that clients cannot read takes no other away', () => {
  const repaired: [what: string, members: Definition][] = [
    ['no inputSchema', {}],
    ['an inputSchema without type', { inputSchema: { properties: { a: { type: 'string' } } } }],
    ['null for all that may be left out', { ...SCHEMA, title: null, description: null, outputSchema: null, _meta: null, icons: null, execution: null, annotations: null }], // prettier-ignore
    ['required and properties of null', { inputSchema: { type: 'object', properties: null, required: null } }],
    ['null for a property', { inputSchema: { type: 'object', properties: { a: null } } }],
    ['alternatives at the root', { inputSchema: { anyOf: [{ required: ['a'] }, { required: ['b'] }] } }],
    ['draft-04', output({ $schema: 'http://json-schema.org/draft-04/schema#', id: 'x', type: 'object', properties: { n: { minimum: 1, exclusiveMinimum: true } } })], // prettier-ignore
    ['annotations of wrong types', { ...SCHEMA, annotations: { title: 7, readOnlyHint: 'yes', openWorldHint: null } }],
    ['annotations that are a text', { ...SCHEMA, annotations: 'destructive' }],
    ['icons that are none', { ...SCHEMA, icons: [{ src: 7 }, { src: 'i', sizes: '48x48' }] }],
    ['a list as its outputSchema', output({ type: 'array', items: { type: 'string' } })],
    ['empty lists for objects', { inputSchema: { type: 'object', properties: [] }, _meta: [], outputSchema: [] }],
    [
      'names of parts',
      output({ type: 'object', properties: { a: { $ref: 'T' } }, $defs: { T: { $id: 'T', type: 'string' } } }),
    ],
    [
      'the same names for other parts',
      output({ type: 'object', properties: { a: { $ref: 'T' } }, $defs: { T: { $id: 'T', type: 'number' } } }),
    ],
  ];
  it.each(repaired)('and is repaired where that is certain: %s', async (_, members) => {
    const body = await registered('up', await offering([{ name: 'odd', ...members }, { name: 'good', ...GOOD }, { name: 'other', ...output({ type: 'object', $defs: { T: { $id: 'T' } } }) }])); // prettier-ignore
    expect(body).toMatchObject({ tool_names: ['odd', 'good', 'other'] });
    expect(body).not.toHaveProperty('refused_tools');
    expect(await shownTools()).toEqual(['up__good', 'up__odd', 'up__other']);
    expect((await scenario.call('up.odd')).status).toBe(200);
    expect(await shownUpstream('up')).toMatchObject({ tools: 3, refused: 0 });
  });

  const refusedOnes: [what: string, members: Definition, reason: string][] = [
    ['an inputSchema of a text', { inputSchema: { type: 'string' } }, 'is not of an object'],
    ['an inputSchema that is a text', { inputSchema: 'object' }, 'is no schema of an object'],
    ['a reference to what is not there', { inputSchema: { type: 'object', properties: { a: { $ref: '#/$defs/a' } } } }, 'to what is not there'], // prettier-ignore
    [
      'such a reference in its results',
      output({ type: 'object', properties: { a: { $ref: '#/$defs/a' } } }),
      'to what is not there',
    ],
    ['references in circles', output({ type: 'object', $ref: '#' }), 'in circles'],
    [
      'a pattern of another language',
      output({ type: 'object', properties: { a: { pattern: '(?i)x' } } }),
      'no regular expression',
    ],
    [
      'a type that there is not',
      output({ type: 'object', properties: { a: { type: 'float' } } }),
      'no type of JSON Schema',
    ],
    ['required that is no list', { inputSchema: { type: 'object', required: 'a' } }, 'no list of names'],
    ['a property that is a text', { inputSchema: { type: 'object', properties: { a: 'string' } } }, 'is no schema'],
    ['a dialect that nobody knows', output({ $schema: 'urn:ours', type: 'object' }), 'no dialect'],
    ['calls that have to be tasks', { ...SCHEMA, execution: { taskSupport: 'required' } }, 'called as a task only'],
  ];
  it.each(refusedOnes)('and is refused alone otherwise, with its reason: %s', async (_, members, reason) => {
    const upstream = await offering([
      { name: 'odd', ...members },
      { name: 'good', ...GOOD },
    ]);
    const refused = [{ name: 'odd', reason: expect.stringContaining(reason) }];
    expect(await registered('up', upstream)).toMatchObject({ tool_names: ['good'], refused_tools: refused });
    expect(await shownTools()).toEqual(['up__good']);
    expect(await shownUpstream('up')).toMatchObject({ tools: 1, refused: 1, refused_tools: refused });
    expect((await scenario.call('up.odd')).status).toBe(404);
    expect(upstream.calls).toEqual([]);
    expect(await scenario.entries('upstream_registered')).toMatchObject([{ details: { refused_tools: refused } }]);

    // It is taken once its upstream says it as it should.
    upstream.tools = ['odd', 'good'].map((name) => ({ name, ...GOOD }));
    expect((await scenario.tenant.post('/v1/proxy/upstreams/up/refresh')).body).toMatchObject({
      tool_names: ['odd', 'good'],
    });
    expect(await shownUpstream('up')).toMatchObject({ tools: 2, refused: 0 });
    expect((await scenario.call('up.odd')).status).toBe(200);
  });

  it('and is gone while it is broken, and comes back as it was accepted, or is held back', async () => {
    const good = { name: 'good', ...GOOD };
    const upstream = await offering([{ name: 'odd', ...GOOD }, good]);
    await registered('up', upstream);
    const refresh = async (odd: Definition): Promise<void> => {
      upstream.tools = [{ name: 'odd', ...GOOD, ...odd }, good];
      await scenario.tenant.post('/v1/proxy/upstreams/up/refresh');
    };
    upstream.tools = [{ name: 'odd', ...GOOD, inputSchema: 'x' }, good];
    expect((await scenario.call('up.odd')).status).toBe(404);
    expect((await scenario.call('up.good')).status).toBe(200);
    expect(await shownUpstream('up')).toMatchObject({ tools: 1, drifted: 0, refused_tools: [{ name: 'odd' }] });

    await refresh({ description: 'Sends every file' });
    expect((await scenario.call('up.odd')).body).toMatchObject({ code: 'tool_drift' });
    await refresh({ inputSchema: 'x' });
    await refresh({});
    expect((await scenario.call('up.odd')).status).toBe(200);
    expect(await shownUpstream('up')).toMatchObject({ tools: 2, drifted: 0, refused: 0 });
  });

  it('of 2,000 made at random: every client reads every list, every good tool is in it, every other is named', async () => {
    const made = fc.sample(brokenTools, { numRuns: 2_000, seed: SEED });
    const [shown, refused]: [Set<string>, Map<string, string>] = [new Set(), new Map()];
    const PART = 125;
    for (let from = 0; from < made.length; from += PART) {
      const part = made.slice(from, from + PART).flatMap((members, i) => {
        const good = (from + i) % 10 === 0 ? [{ name: `good_${from + i}`, ...GOOD }] : [];
        return [{ ...members, name: `made_${from + i}` }, ...good];
      });
      const odd = fc.sample(oddNames, { numRuns: 30, seed: SEED + from }).map((name) => ({ name, ...GOOD }));
      const body = await registered(`up${from / PART}`, await offering([...part, ...odd]));
      for (const { name, reason } of (body['refused_tools'] ?? []) as Refused[]) refused.set(name, reason);
    }
    for (const name of await shownTools()) shown.add(name.slice(name.indexOf('__') + 2));
    const all = made.map((_, i) => i);
    expect(all.filter((i) => i % 10 === 0 && !shown.has(`good_${i}`))).toEqual([]);
    expect(all.filter((i) => shown.has(`made_${i}`) === refused.has(`made_${i}`))).toEqual([]);
    expect([...refused.values()].filter((reason) => reason.length < 8 || reason.length > 200)).toEqual([]);
    // Neither is all of it taken, nor is nothing.
    expect([refused.size > 400, refused.size < 1_600]).toEqual([true, true]);
  }, 180_000);
});

describe('one resource, template or prompt that clients cannot read takes no other away', () => {
  let upstream: ResourceUpstream;
  beforeEach(async () => {
    upstream = scenario.keep(await startResourceUpstream('up'));
  });

  it('and is repaired where that is certain, else refused alone, with its reason', async () => {
    upstream.resources = [
      { uri: 'doc://good', name: 'Good' },
      {
        uri: 'doc://odd',
        name: null,
        title: null,
        size: 'big',
        annotations: { priority: 9 },
        icons: null,
        _meta: null,
      },
      { uri: null, name: 'Nowhere' },
    ];
    upstream.templates = [
      { uriTemplate: 'doc://{good}', name: 'Good' },
      { uriTemplate: 7, name: 'Seven' },
    ];
    upstream.prompts = [
      { name: 'good' },
      { name: 'odd', description: 7, arguments: null },
      { name: 'bad', arguments: [{ name: null }] },
    ];
    const refused = {
      refused_resources: [{ name: '(no name, the 3rd of its list)', reason: 'it has no uri of 1 to 4096 characters' }],
      refused_resource_templates: [
        { name: '(no name, the 2nd of its list)', reason: expect.stringContaining('uriTemplate') },
      ],
      refused_prompts: [{ name: 'bad', reason: 'one of its arguments has no name' }],
    };
    expect(await registered('up', upstream)).toMatchObject(refused);
    for (const { resources, templates, prompts } of await listings())
      expect([resources, templates, prompts]).toEqual([
        ['doc://good', 'doc://odd'],
        ['doc://{good}'],
        ['up.good', 'up.odd'],
      ]);
    expect(await shownUpstream('up')).toMatchObject({ refused: 3, ...refused });
    expect((await scenario.tenant.post('/v1/proxy/upstreams/up/refresh')).body).toMatchObject(refused);

    upstream.prompts = [{ name: 'good' }];
    expect((await scenario.tenant.post('/v1/proxy/upstreams/up/refresh')).body).not.toHaveProperty('refused_prompts');
    expect(await shownUpstream('up')).toMatchObject({ refused: 2 });
  });

  it('of 600 made at random: every client reads every list, and every one that is not in it is named', async () => {
    const made = fc.sample(brokenOthers, { numRuns: 600, seed: SEED });
    const third = (n: number): Definition[] => made.slice(200 * n, 200 * (n + 1));
    upstream.resources = [
      { uri: 'doc://good', name: 'Good' },
      ...third(0).map((each, i) => ({ ...each, uri: `doc://${i}` })),
    ];
    upstream.templates = [{ uriTemplate: 'doc://{good}', name: 'Good' }, ...third(1).map((each, i) => ({ ...each, uriTemplate: `doc://${i}/{n}` }))]; // prettier-ignore
    upstream.prompts = [{ name: 'good' }, ...third(2).map((each, i) => ({ ...each, name: `p${i}` }))];
    const odd = fc.sample(oddNames, { numRuns: 30, seed: SEED }).map((name) => `${name}\ud800`);
    upstream.resources.push(...odd.map((uri) => ({ uri, name: 'Odd' })));
    const body = await registered('up', upstream);
    expect((await scenario.tenant.post('/v1/proxy/upstreams/up/refresh')).status).toBe(200);
    for (const { resources, templates, prompts } of await listings()) {
      expect([...resources, ...names(body['refused_resources'])]).toHaveLength(231);
      expect([...templates, ...names(body['refused_resource_templates'])]).toHaveLength(201);
      expect(new Set([...prompts, ...names(body['refused_prompts']).map((name) => `up.${name}`)]).size).toBe(201);
      expect([resources.includes('doc://good'), templates.includes('doc://{good}'), prompts.includes('up.good')]).toEqual(Array(3).fill(true)); // prettier-ignore
    }
    expect(names(body['refused_prompts']).length).toBeGreaterThan(5);
  });

  it('and is repaired, or left out, where an earlier version kept it as it came', async () => {
    upstream.prompts = [{ name: 'good' }];
    await registered('up', upstream);
    const prompts = [{ name: 'good' }, { name: 'odd', title: null }, { name: 'bad', arguments: 'x' }];
    const offers = JSON.stringify({ resources: [], templates: [], prompts, completions: false });
    await world.sql(`UPDATE proxy_offering SET offers = $2, digest = '\\x00' WHERE tenant_id = $1`, [await world.tenantOf(scenario.tenant), offers]); // prettier-ignore
    for (const listed of await listings()) expect(listed.prompts).toEqual(['up.good', 'up.odd']);
  });
});

describe('a server that writes the sets of its schemas in another order at each start', () => {
  const schema = (required: string[], values: unknown[], type: string[]): Definition => ({
    ...{ type: 'object', required, properties: { a: { enum: values }, b: { type } } },
  });
  const first = schema(['a', 'b'], ['x', 'y', null], ['string', 'null']);
  const later = schema(['b', 'a'], [null, 'y', 'x'], ['null', 'string']);
  const tools = (inputSchema: Definition): FakeUpstream['tools'] => [
    { name: 'set', inputSchema, outputSchema: inputSchema },
  ];

  it('is not held back, and is shown as it was accepted; one whose sets differ is', async () => {
    const upstream = await offering(tools(first));
    await registered('up', upstream);
    upstream.tools = tools(later);
    expect((await scenario.call('up.set')).status).toBe(200);
    expect(await shownUpstream('up')).toMatchObject({ tools: 1, drifted: 0 });
    const { body } = await scenario.tenant.get<{ tools: Definition[] }>('/v1/proxy/tools');
    expect(body.tools[0]?.['input_schema']).toEqual(first);
    expect(await scenario.entries('tool_drift')).toEqual([]);

    upstream.tools = tools(schema(['a'], ['x', 'y', null], ['string', 'null']));
    expect((await scenario.call('up.set')).status).toBe(403);
    expect(await shownUpstream('up')).toMatchObject({ drifted: 1 });
  });

  it('keeps what an earlier version has pinned, in whatever order, and in words that clients cannot read', async () => {
    const upstream = await offering([...tools(first), { name: 'odd', ...SCHEMA }]);
    await registered('up', upstream);
    // As the earlier version wrote it: the definition as it came, under the digest of exactly that.
    const pin = async (name: string, definition: Definition, canonical: string): Promise<void> => {
      const fingerprint = hash('sha256', canonical, 'buffer');
      const key = [await world.tenantOf(scenario.tenant), name];
      await world.sql('UPDATE proxy_tool SET definition = $3, fingerprint = $4 WHERE tenant_id = $1 AND name = $2', [...key, JSON.stringify(definition), fingerprint]); // prettier-ignore
      await world.sql(`UPDATE proxy_upstream SET listed_digest = '\\x00', catalogue_digest = '\\x00' WHERE tenant_id = $1`, key.slice(0, 1)); // prettier-ignore
    };
    const canonical = '{"enum":["x","y",null]},"b":{"type":["string","null"]}},"required":["a","b"],"type":"object"}';
    const half = `{"properties":{"a":${canonical}`;
    const set = { name: 'set', inputSchema: first, outputSchema: first };
    await pin('set', set, `{"inputSchema":${half},"name":"set","outputSchema":${half}}`);
    await pin('odd', { name: 'odd', ...SCHEMA, title: null }, '{"inputSchema":{"type":"object"},"name":"odd","title":null}'); // prettier-ignore
    expect(await shownTools()).toEqual(['up__odd', 'up__set']);
    upstream.tools = [...tools(later), { name: 'odd', ...SCHEMA, title: null }];
    expect((await scenario.call('up.set')).status).toBe(200);
    expect((await scenario.call('up.odd')).status).toBe(200);
    expect(await shownUpstream('up')).toMatchObject({ tools: 2, drifted: 0, refused: 0 });
    expect(await shownTools()).toEqual(['up__odd', 'up__set']);
    expect(await scenario.entries('tool_drift')).toEqual([]);
  });
});
