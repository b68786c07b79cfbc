import fc from 'fast-check';
import { changesBetween, digestOfList, fingerprintOf } from './tool-definition.js';
import { type UpstreamTool } from '../mcp-client/index.js';

const tool: UpstreamTool = {
  name: 'pay',
  title: 'Pay',
  description: 'Pays',
  inputSchema: { type: 'object', properties: { to: { type: 'string' } }, required: ['to'] },
  annotations: { destructiveHint: true },
};

describe('the fingerprint of a definition', () => {
  it('is the SHA-256 of its canonical JSON, whatever the order of members', () => {
    const { name, ...rest } = tool;
    expect(fingerprintOf({ ...rest, name }).toString('hex')).toBe(fingerprintOf(tool).toString('hex'));
    expect(fingerprintOf({ name: 'a', inputSchema: { type: 'object' } }).toString('hex')).toBe(
      // printf '{"inputSchema":{"type":"object"},"name":"a"}' | sha256sum
      '60d4353e9a5499b483d09f13d9e28060e70f34edf787bb7040ba30bd390f85af',
    );
  });

  it.each<Partial<UpstreamTool>>([
    { name: 'pay2' },
    { title: 'Pay ' },
    { description: 'Pays\u200b' },
    { inputSchema: { type: 'object', properties: { to: { type: 'string' } }, required: [] } },
    { outputSchema: { type: 'object' } },
    { annotations: { destructiveHint: false } },
    { _meta: { anything: 1 } },
  ])('is another with %j', (change) => {
    expect(fingerprintOf({ ...tool, ...change })).not.toEqual(fingerprintOf(tool));
  });
});

describe('sets of a schema', () => {
  const of = (inputSchema: object, more: object = {}): string =>
    fingerprintOf({ name: 'a', inputSchema: { type: 'object', ...inputSchema }, ...more }).toString('hex');

  it.each([
    [{ required: ['a', 'b'] }, { required: ['b', 'a'] }],
    [{ required: ['a', 'b'] }, { required: ['b', 'a', 'b'] }],
    [{ properties: { a: { enum: [1, 'x', null, { b: 1, a: 2 }] } } }, { properties: { a: { enum: [{ a: 2, b: 1 }, null, 'x', 1] } } }], // prettier-ignore
    [{ anyOf: [{ items: { type: ['string', 'null'] } }] }, { anyOf: [{ items: { type: ['null', 'string'] } }] }],
    [{ $defs: { a: { dependentRequired: { x: ['a', 'b'] } } } }, { $defs: { a: { dependentRequired: { x: ['b', 'a'] } } } }], // prettier-ignore
    [{ dependencies: { x: ['a', 'b'], y: { required: ['a', 'b'] } } }, { dependencies: { x: ['b', 'a'], y: { required: ['b', 'a'] } } }], // prettier-ignore
  ])('are the same in any order: %j', (one, other) => {
    expect(of(one)).toBe(of(other));
    expect(of({}, { outputSchema: { type: 'object', ...one } })).toBe(of({}, { outputSchema: { type: 'object', ...other } })); // prettier-ignore
  });

  it.each([
    [{ required: ['a', 'b'] }, { required: ['a', 'c'] }],
    [{ properties: { a: { default: { required: ['a', 'b'] } } } }, { properties: { a: { default: { required: ['b', 'a'] } } } }], // prettier-ignore
    [{ properties: { a: { const: ['a', 'b'] } } }, { properties: { a: { const: ['b', 'a'] } } }],
    [{ properties: { a: { enum: [['a', 'b']] } } }, { properties: { a: { enum: [['b', 'a']] } } }],
    [{ prefixItems: [{ type: 'string' }, {}] }, { prefixItems: [{}, { type: 'string' }] }],
    [{ anyOf: [{ type: 'string' }, {}] }, { anyOf: [{}, { type: 'string' }] }],
    [{ 'x-order': ['a', 'b'] }, { 'x-order': ['b', 'a'] }],
  ])('are not what only looks like one: %j', (one, other) => {
    expect(of(one)).not.toBe(of(other));
  });

  it('differ in no list of tools, either', async () => {
    const list = (...required: string[]): Promise<Buffer> =>
      digestOfList({ tools: [{ name: 'a', inputSchema: { type: 'object', required } }], refused: [] });
    expect(await list('a', 'b')).toEqual(await list('b', 'a'));
    expect(await list('a', 'b')).not.toEqual(await list('a'));
    const refused = [{ name: 'b', reason: 'it is broken' }];
    expect(await digestOfList({ tools: [], refused })).not.toEqual(await digestOfList({ tools: [], refused: [] }));
  });
});

describe('the changes between two definitions', () => {
  it('name each place as a JSON pointer, with what was and what is', () => {
    expect(
      changesBetween(tool, {
        name: 'pay',
        description: 'Pays \u202eevil',
        inputSchema: { type: 'object', properties: { to: { type: 'number' }, 'a/b~c': {} }, required: ['to', 'x'] },
        annotations: [] as never,
      }),
    ).toEqual([
      { path: '/title', was: 'Pay' },
      { path: '/description', was: 'Pays', is: 'Pays \\u{202e}evil' },
      { path: '/inputSchema/properties/to/type', was: 'string', is: 'number' },
      { path: '/inputSchema/properties/a~1b~0c', is: {} },
      { path: '/inputSchema/required/1', is: 'x' },
      { path: '/annotations', was: { destructiveHint: true }, is: [] },
    ]);
  });

  it('are the two definitions whole when there are too many to read', () => {
    const many = { ...tool, enum: Array.from({ length: 300 }, (_, i) => i) };
    const other = { ...tool, enum: Array.from({ length: 300 }, (_, i) => i + 1) };
    expect(changesBetween(many, other)).toEqual([{ path: '', was: many, is: other }]);
    const key = 'k'.repeat(30_000);
    const [deep, deeper] = [0, 1].map((by) => ({ ...tool, [key]: [by, by, by, by] })) as [UpstreamTool, UpstreamTool];
    expect(changesBetween(deep, deeper)).toHaveLength(1);
  });

  it('are none exactly where the fingerprints are equal', () => {
    const json = fc.jsonValue({ maxDepth: 3 });
    const definition = json.map((more) => ({ ...tool, more }));
    fc.assert(
      fc.property(definition, definition, (one, other) => {
        expect(changesBetween(one, one)).toEqual([]);
        expect(changesBetween(one, other).length === 0).toBe(fingerprintOf(one).equals(fingerprintOf(other)));
      }),
    );
  });
});
