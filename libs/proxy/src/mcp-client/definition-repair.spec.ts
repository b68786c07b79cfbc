import { parseJson } from '@haldir/kernel';
import { repairedPrompt, repairedResource, repairedTool } from './definition-repair.js';

const tool = (members: object): { name: string } => ({ name: 'a', ...members });
const args = (schema: unknown): unknown => repairedTool(tool({ inputSchema: schema })).inputSchema;
const results = (schema: unknown): unknown => repairedTool(tool({ outputSchema: schema }))['outputSchema'];
const NO_INPUT = { type: 'object' };

describe('a tool of which something is null or of a wrong type', () => {
  it.each([
    [
      {
        title: null,
        description: null,
        _meta: null,
        icons: null,
        execution: null,
        annotations: null,
        outputSchema: null,
      },
      {},
    ],
    [{ title: 7, description: [], _meta: 'x', icons: 'x', annotations: 'x', execution: [] }, {}],
    [{ annotations: { title: 1, readOnlyHint: 'true', idempotentHint: null, openWorldHint: true, ours: 1 } }, { annotations: { openWorldHint: true, ours: 1 } }], // prettier-ignore
    [{ icons: [null, {}, { src: 'i', sizes: '48x48', theme: 'sepia' }, { src: 'j', sizes: ['any'] }] }, { icons: [{ src: 'i' }, { src: 'j', sizes: ['any'] }] }], // prettier-ignore
    [{ execution: { taskSupport: null, ours: 1 } }, { execution: { ours: 1 } }],
    [{ execution: { taskSupport: 'optional' } }, { execution: { taskSupport: 'optional' } }],
    [{ outputSchema: {} }, {}],
    [{ outputSchema: [] }, {}],
  ] as [object, object][])('goes without it: %j', (members, left) => {
    expect(repairedTool(tool(members))).toEqual({ name: 'a', inputSchema: NO_INPUT, ...left });
  });

  it.each([
    ['required', /called as a task only/],
    ['always', /none of required, optional and forbidden/],
    [7, /none of required/],
  ])('is refused where it can be called as a task only, or nobody knows: %j', (taskSupport, reason) => {
    expect(() => repairedTool(tool({ execution: { taskSupport } }))).toThrow(reason);
    expect(() => repairedTool(tool({ execution: taskSupport }))).toThrow(/execution/);
  });

  it('is refused with a number that is infinite to clients', () => {
    const read = parseJson('{"name":"a","inputSchema":{"type":"object","properties":{"n":{"default":1e999}}}}');
    expect(() => repairedTool(read as { name: string })).toThrow(/infinite/);
  });
});

describe('a schema of arguments', () => {
  it.each([
    [undefined, NO_INPUT],
    [null, NO_INPUT],
    [[], NO_INPUT],
    [true, NO_INPUT],
    [{}, NO_INPUT],
    [{ type: null, properties: null, required: null }, NO_INPUT],
    [
      { type: ['object', 'null'], properties: [] },
      { type: 'object', properties: {} },
    ],
    [{ anyOf: [{ required: ['a'] }, { required: ['b'] }] }, { type: 'object', anyOf: [{ required: ['a'] }, { required: ['b'] }] }], // prettier-ignore
    [{ properties: { a: true, b: false, c: null, d: [] } }, { type: 'object', properties: { a: {}, b: { not: {} }, c: {}, d: {} } }], // prettier-ignore
    [{ properties: { a: { type: 'string', required: true }, b: { required: false } } }, { type: 'object', properties: { a: { type: 'string' }, b: {} }, required: ['a'] }], // prettier-ignore
    [{ properties: { a: { items: null, title: 3, description: null, enum: null, default: null, const: null } } }, { type: 'object', properties: { a: { default: null, const: null } } }], // prettier-ignore
    [{ properties: { a: { type: 'any' } } }, { type: 'object', properties: { a: {} } }],
    [{ properties: { a: { pattern: '(?i)^x$' } } }, { type: 'object', properties: { a: { pattern: '(?i)^x$' } } }],
    [{ properties: { a: { minimum: 1, exclusiveMinimum: true }, b: { maximum: 1, exclusiveMaximum: false } } }, { type: 'object', properties: { a: { exclusiveMinimum: 1 }, b: { maximum: 1 } } }], // prettier-ignore
    [{ $schema: 'http://json-schema.org/draft-04/schema#', id: 'x' }, { type: 'object', $schema: 'http://json-schema.org/draft-07/schema#', id: 'x' }], // prettier-ignore
    [
      { $schema: 7, 'x-ours': null },
      { type: 'object', 'x-ours': null },
    ],
    [{ properties: { next: { $ref: '#' } } }, { type: 'object', properties: { next: { $ref: '#' } } }],
  ])('is repaired where it means what it meant: %j', (schema, repaired) => {
    expect(args(schema)).toEqual(repaired);
  });

  it.each([
    ['x', /inputSchema is no schema of an object/],
    [[{}], /no schema of an object/],
    [false, /no schema of an object/],
    [{ type: 'string' }, /inputSchema is not of an object/],
    [{ type: ['string', 'null'] }, /not of an object/],
    [{ properties: 'x' }, /at \/properties is no object of schemas/],
    [{ properties: { a: 'string' } }, /at \/properties\/a is no schema/],
    [{ required: 'a' }, /at \/required is no list of names/],
    [{ required: [1] }, /at \/required is no list of names/],
    [{ properties: { a: { type: 'STRING' } } }, /at \/properties\/a\/type is no type of JSON Schema/],
    [{ properties: { a: { minimum: '3' } } }, /at \/properties\/a\/minimum is no number/],
    [{ properties: { 'a/b': { enum: 'x' } } }, /at \/properties\/a~1b\/enum is no list of values/],
    [{ anyOf: {} }, /at \/anyOf is no list of schemas/],
    [{ properties: { a: { $ref: '#/$defs/none' } } }, /to what is not there/],
    [{ properties: { a: { $ref: 'https://example.com/schema.json' } } }, /to what is not there/],
    [{ properties: { a: { $ref: '#/$defs/a' } }, $defs: { a: { $ref: '#/$defs/a' } } }, /in circles/],
    [{ $ref: '#' }, /in circles/],
    [{ $defs: { a: { anyOf: [{ $ref: '#/$defs/b' }] }, b: { allOf: [{ $ref: '#/$defs/a' }] } } }, /in circles/],
    [{ properties: { a: { $ref: 7 } } }, /at \/properties\/a\/\$ref is no text/],
  ])('is refused where nobody can know what it means: %j', (schema, reason) => {
    expect(() => args(schema)).toThrow(reason);
  });

  it('is refused where its references unfold to more than anybody reads, and is taken where they do not', () => {
    const doubling = (times: number): object => ({
      $ref: `#/$defs/d${times}`,
      $defs: Object.fromEntries(
        Array.from({ length: times + 1 }, (_, i) => [
          `d${i}`,
          i === 0 ? {} : { properties: { a: { $ref: `#/$defs/d${i - 1}` }, b: { $ref: `#/$defs/d${i - 1}` } } },
        ]),
      ),
    });
    expect(() => args(doubling(40))).toThrow(/more than 50000 parts/);
    expect(args(doubling(8))).toMatchObject({ type: 'object' });
  });

  it('is refused where it is longer, or has more parts, than anybody reads', () => {
    expect(() => args({ description: 'x'.repeat(66_000) })).toThrow('its definition is longer than 65536 characters');
    expect(() => args({ allOf: Array.from({ length: 4_000 }, () => ({})) })).toThrow(/more than 4000 parts/);
  });

  it('is refused where references lead so far that clients could not follow', () => {
    const chain = (length: number): object => ({
      properties: { a: { $ref: '#/$defs/d0' } },
      $defs: Object.fromEntries(
        Array.from({ length }, (_, i) => [`d${i}`, i === length - 1 ? {} : { $ref: `#/$defs/d${i + 1}` }]),
      ),
    });
    expect(() => args(chain(1_500))).toThrow(/steps deep/);
    expect(args(chain(40))).toMatchObject({ type: 'object' });
  });
});

describe('a definition that would be longer once it is repaired', () => {
  const named = (key: string, references: number): object => ({
    ...{ type: 'object', $defs: { [key]: { $id: 'T', properties: { b: {} } } } },
    properties: { p: { anyOf: Array.from({ length: references }, () => ({ $ref: 'T#/properties/b' })) } },
  });

  it.each([
    ['a', 18_000, 1_200],
    ['\u4e00', 18_000, 1_200],
    ['\u4e00', 60_000, 1],
    ['\u4e00', 50, 1_200],
  ])(
    'is refused before it is made where its references grow: to %j, %i times, from %i places',
    (char, times, places) => {
      const schema = named(char.repeat(times), places);
      const before = process.memoryUsage();
      expect(() => results(schema)).toThrow('is longer than 65536 characters once its references are by place');
      expect(process.memoryUsage().rss - before.rss).toBeLessThan(64 * 1024 * 1024);
      expect(results(named('a', 100))).not.toHaveProperty('$defs.a.$id');
    },
  );

  it('is refused by an anchor, too, that many refer to', () => {
    const anchored = { $ref: '#a' };
    const properties = { ['\u4e00'.repeat(18_000)]: { $anchor: 'a' }, p: { anyOf: Array(1_900).fill(anchored) } };
    const schema: unknown = JSON.parse(JSON.stringify({ type: 'object', properties }));
    expect(() => results(schema)).toThrow('is longer than 65536 characters once its references are by place');
  });

  it('is refused where what is written otherwise grows: of tools, resources and prompts', () => {
    const many = (member: unknown): object => Object.fromEntries(Array.from({ length: 3_900 }, (_, i) => [i, member]));
    expect(() => args({ properties: { ...many(false), a: { description: 'x'.repeat(20_000) } } })).toThrow(
      'its definition is longer than 65536 characters',
    );
    const uri = `doc://${'x'.repeat(4_000)}`;
    expect(() => repairedResource({ uri, description: 'x'.repeat(60_000) }, uri)).toThrow(/longer than 65536/);
  });
});

describe('patterns of results', () => {
  it('are taken whatever properties of characters they have', () => {
    for (const pattern of [
      '^[\\p{L}\\p{M}\\s.-]{1,80}$',
      '^\\\\p{2}',
      '\\P{Script=Greek}+',
      '[^\\p{ASCII}\\]]',
      '\\u{1f600}',
    ])
      expect(results({ type: 'object', properties: { a: { pattern } } })).toMatchObject({
        properties: { a: { pattern } },
      });
  });

  it('take a few milliseconds at most, as many as are taken', () => {
    const slow = { type: 'object', pattern: `[${'\\P{L}'.repeat(100)}]` };
    const took = Array.from({ length: 10 }, () => {
      const since = performance.now();
      expect(results(slow)).toEqual(slow);
      return performance.now() - since;
    });
    expect(Math.min(...took)).toBeLessThan(10);
  });
});

describe('a schema of results, which clients compile', () => {
  const DRAFT_7 = 'http://json-schema.org/draft-07/schema#';

  it.each([
    [{ properties: { a: {} } }, { type: 'object', properties: { a: {} } }],
    [{ type: ['object'] }, { type: 'object' }],
    [
      { type: 'array', items: { type: 'string' } },
      { type: 'array', items: { type: 'string' } },
    ],
    [
      { $schema: 'http://json-schema.org/draft-04/schema#', id: 'x', type: 'object' },
      { $schema: DRAFT_7, type: 'object' },
    ],
    [{ type: 'object', id: 'x', $id: 'y', $anchor: 'z' }, { type: 'object' }],
    [{ type: 'object', properties: { a: { items: [{}, {}] } } }, { type: 'object', properties: { a: { items: [{}, {}] } }, $schema: DRAFT_7 }], // prettier-ignore
    [{ type: 'object', properties: { n: { $ref: 'T' } }, $defs: { T: { $id: 'T', properties: { n: { $ref: '#' } } } } }, { type: 'object', properties: { n: { $ref: '#/$defs/T' } }, $defs: { T: { properties: { n: { $ref: '#/$defs/T' } } } } }], // prettier-ignore
    [{ type: 'object', properties: { n: { $ref: '#t' } }, $defs: { 'a b': { $anchor: 't' } } }, { type: 'object', properties: { n: { $ref: '#/$defs/a%20b' } }, $defs: { 'a b': {} } }], // prettier-ignore
    [{ type: 'object', $async: true, formatMinimum: 'x', nullable: 'x' }, { type: 'object' }],
  ])('is repaired where it means what it meant: %j', (schema, repaired) => {
    expect(results(schema)).toEqual(repaired);
  });

  it.each([
    ['x', /outputSchema is no schema/],
    [
      { type: 'object', properties: { a: { pattern: '(?i)x' } } },
      /at \/properties\/a\/pattern is no regular expression/,
    ],
    [{ type: 'object', properties: { a: { pattern: '\\p{None}' } } }, /at \/properties\/a\/pattern is no regular expr/],
    [{ type: 'object', properties: { a: { pattern: '[a-\\p{L}]' } } }, /no regular expression/],
    [
      { type: 'object', properties: { a: { pattern: `[${'\\P{L}'.repeat(10_000)}]` } } },
      /of more than 1000 characters/,
    ],
    [{ type: 'object', patternProperties: { [`[${'\\P{L}'.repeat(10_000)}]`]: {} } }, /of more than 1000 characters/],
    [
      { type: 'object', allOf: Array.from({ length: 20 }, () => ({ pattern: 'a'.repeat(999) })) },
      /of more than 16384 c/,
    ],
    [
      { type: 'object', allOf: Array.from({ length: 20 }, () => ({ pattern: '[\\p{L}\\P{N}]'.repeat(9) })) },
      /more than 100 prop/,
    ],
    [{ type: 'object', patternProperties: { '[': {} } }, /at \/patternProperties is no regular expression/],
    [{ type: 'object', $schema: 'https://example.com/dialect' }, /no dialect of JSON Schema/],
    [{ type: 'object', properties: { a: { enum: [] } } }, /no list of values/],
    [{ type: 'object', properties: { a: { $ref: '#/x' } }, x: {} }, /to what is not there/],
    [{ type: 'object', $defs: { a: { $anchor: 'x' }, b: { $anchor: 'x' } } }, /two parts of one name/],
  ])('is refused where clients would throw: %j', (schema, reason) => {
    expect(() => results(schema)).toThrow(reason);
  });
});

describe('a resource or a template', () => {
  it('goes without what is null or of a wrong type, and is called by its address where it has no name', () => {
    const annotations = { audience: ['user', 'robot'], priority: 2, lastModified: 'yesterday', ours: 1 };
    const members = { title: null, description: 7, mimeType: null, size: '3', icons: null, _meta: [], annotations };
    expect(repairedResource({ uri: 'doc://a', ...members }, 'doc://a')).toEqual({
      ...{ uri: 'doc://a', name: 'doc://a', annotations: { ours: 1 } },
    });
    const whole = { name: 'A', size: 3, annotations: { audience: ['user'], priority: 0.5, lastModified: '2026-01-02T03:04:05Z' } }; // prettier-ignore
    expect(repairedResource({ uri: 'doc://a', ...whole }, 'doc://a')).toEqual({ uri: 'doc://a', ...whole });
  });
});

describe('a prompt', () => {
  it('goes without what is null or of a wrong type', () => {
    const prompt = { name: 'p', title: 7, description: null, _meta: null, icons: {} };
    expect(repairedPrompt({ ...prompt, arguments: null })).toEqual({ name: 'p' });
    expect(repairedPrompt({ ...prompt, arguments: {} })).toEqual({ name: 'p' });
    expect(repairedPrompt({ name: 'p', arguments: [{ name: 'a', description: 7, required: null }] })).toEqual({
      ...{ name: 'p', arguments: [{ name: 'a' }] },
    });
  });

  it.each([
    ['x', /no list/],
    [[null], /has no name/],
    [[{ name: 7 }], /has no name/],
    [[{ name: 'a', required: 'yes' }], /neither required nor not/],
  ])('is refused where nobody can know what it takes: %j', (given, reason) => {
    expect(() => repairedPrompt({ name: 'p', arguments: given })).toThrow(reason);
  });
});
