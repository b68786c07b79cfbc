// Definitions as no server should give them, made at random from a seed.
import fc from 'fast-check';

export type Definition = Record<string, unknown>;

/** All that a tool may say of itself, as it should. */
export const WHOLE: Definition = {
  title: 'Whole',
  description: 'Says all that a tool may say of itself',
  inputSchema: {
    $schema: 'https://json-schema.org/draft/2020-12/schema',
    type: 'object',
    properties: {
      text: { type: 'string', minLength: 1, maxLength: 80, pattern: '^\\S+$', description: 'Some text' },
      kind: { enum: ['a', 'b', null], default: null },
      tree: { $ref: '#/$defs/tree' },
      either: { anyOf: [{ type: 'integer', minimum: 1, exclusiveMaximum: 9 }, { type: ['string', 'null'] }] },
    },
    required: ['text'],
    additionalProperties: false,
    $defs: { tree: { type: 'object', properties: { children: { type: 'array', items: { $ref: '#/$defs/tree' } } } } },
  },
  outputSchema: {
    type: 'object',
    properties: {
      sum: { type: 'number', multipleOf: 0.5 },
      at: { type: 'string', format: 'date-time' },
      list: { type: 'array', items: { $ref: '#/$defs/item' }, minItems: 1, uniqueItems: true },
    },
    patternProperties: { '^x-': { type: 'string' } },
    required: ['sum'],
    if: { required: ['at'] },
    then: { properties: { at: { const: 'now' } } },
    $defs: { item: { oneOf: [{ type: 'string' }, { not: { type: 'null' } }] } },
  },
  annotations: {
    title: 'Whole',
    readOnlyHint: true,
    destructiveHint: false,
    idempotentHint: true,
    openWorldHint: false,
  },
  execution: { taskSupport: 'optional' },
  icons: [{ src: 'https://example.com/i.png', mimeType: 'image/png', sizes: ['48x48'], theme: 'light' }],
  _meta: { 'example.com/a': [1, { b: null }] },
};

const garbage: fc.Arbitrary<unknown> = fc.oneof(
  { weight: 4, arbitrary: fc.constant(null) },
  { weight: 6, arbitrary: fc.constantFrom(true, false, 0, -1, 1e300, '', 'x', '[', '(?i)x', '#', '#/$defs/none', 'any', 'STRING') },
  { weight: 3, arbitrary: fc.constantFrom([], {}, [null], [{}], [7], ['x'], { type: 'x' }, { $ref: '#' }, { $ref: 'T' }, { $id: 'T' }, { id: 'T' }) },
  { weight: 1, arbitrary: fc.jsonValue({ maxDepth: 3 }) },
); // prettier-ignore

/** Every place within a value, as the keys that lead there. */
function placesIn(value: unknown, at: readonly string[] = []): string[][] {
  if (typeof value !== 'object' || value === null) return [[...at]];
  return [[...at], ...Object.entries(value).flatMap(([key, member]) => placesIn(member, [...at, key]))];
}

const PLACES = placesIn(WHOLE).filter((place) => place.length > 0);

/** A copy with something else in one place, which may be gone by now. */
function broken(definition: Definition, place: readonly string[], by: unknown): Definition {
  const copy = structuredClone(definition);
  let node: unknown = copy;
  for (const key of place.slice(0, -1)) node = typeof node === 'object' && node !== null ? (node as Definition)[key] : undefined; // prettier-ignore
  const last = place.at(-1);
  if (typeof node === 'object' && node !== null && last !== undefined) (node as Definition)[last] = by;
  return copy;
}

const anywhere: fc.Arbitrary<Definition> = fc
  .array(fc.tuple(fc.constantFrom(...PLACES), garbage), { minLength: 1, maxLength: 4 })
  .map((changes) => changes.reduce((definition, [place, by]) => broken(definition, place, by), WHOLE));

const KEYWORDS = [
  ...['$anchor', '$async', '$comment', '$dynamicAnchor', '$dynamicRef', '$id', '$recursiveAnchor', '$recursiveRef'],
  ...[
    '$ref',
    '$schema',
    '$vocabulary',
    'additionalItems',
    'additionalProperties',
    'allOf',
    'anyOf',
    'const',
    'contains',
  ],
  ...['contentSchema', 'default', 'definitions', 'dependencies', 'dependentRequired', 'dependentSchemas', 'deprecated'],
  ...['discriminator', 'else', 'enum', 'examples', 'exclusiveMaximum', 'exclusiveMinimum', 'format', 'formatMinimum'],
  ...[
    'id',
    'if',
    'items',
    'maxContains',
    'maxItems',
    'maxLength',
    'maxProperties',
    'maximum',
    'minContains',
    'minItems',
  ],
  ...[
    'minLength',
    'minProperties',
    'minimum',
    'multipleOf',
    'not',
    'nullable',
    'oneOf',
    'pattern',
    'patternProperties',
  ],
  ...[
    'prefixItems',
    'properties',
    'propertyNames',
    'readOnly',
    'required',
    'then',
    'title',
    'type',
    'unevaluatedItems',
  ],
  ...['unevaluatedProperties', 'uniqueItems', 'x-ours'],
];

const keywords: fc.Arbitrary<Definition> = fc.dictionary(fc.constantFrom(...KEYWORDS), garbage, { maxKeys: 3 });

/** A schema whose keywords say anything, at its root or further in. */
const anySchema: fc.Arbitrary<Definition> = fc
  .tuple(fc.constantFrom('inputSchema', 'outputSchema'), keywords, fc.boolean())
  .map(([member, schema, isWithin]) => ({
    ...WHOLE,
    [member]: isWithin ? { type: 'object', properties: { a: schema } } : { type: 'object', ...schema },
  }));

/** References in circles, to nothing, and to so much that nobody can follow them. */
const references: fc.Arbitrary<Definition> = fc
  .tuple(
    fc.constantFrom('inputSchema', 'outputSchema'),
    fc.integer({ min: 1, max: 60 }),
    fc.integer({ min: 0, max: 6 }),
  )
  .map(([member, size, how]) => ({ ...WHOLE, [member]: { type: 'object', ...reference(size, how) } }));

function reference(size: number, how: number): Definition {
  const $defs = (of: (i: number) => unknown, count = size): Definition =>
    Object.fromEntries(Array.from({ length: count }, (_, i) => [`d${i}`, of(i)]));
  const to = (i: number): Definition => ({ $ref: `#/$defs/d${i}` });
  const first = { properties: { a: to(0) } };
  switch (how) {
    case 0: // a circle
      return { ...first, $defs: $defs((i) => to((i + 1) % size)) };
    case 1: // a circle that takes a step, as trees have it
      return { ...first, $defs: $defs((i) => ({ properties: { next: to((i + 1) % size) } })) };
    case 2: // doubled at each step
      return { ...first, $defs: $defs((i) => (i === size - 1 ? {} : { properties: { a: to(i + 1), b: to(i + 1) } })) };
    case 3: // the same, of the value itself
      return { ...first, $defs: $defs((i) => (i === size - 1 ? {} : { allOf: [to(i + 1), to(i + 1)] })) };
    case 4: // one large part, many times
      return {
        properties: Object.fromEntries(Array.from({ length: 20 * size }, (_, i) => [`p${i}`, to(0)])),
        $defs: { d0: { properties: $defs(() => ({ type: 'string', maxLength: 9 }), 10 * size) } },
      };
    case 5: // a long way
      return { ...first, $defs: $defs((i) => (i === 20 * size - 1 ? {} : to(i + 1)), 20 * size) };
    default: // deep, and to nothing at its end
      return Array.from({ length: size }).reduce<Definition>((inner) => ({ properties: { a: inner } }), to(99));
  }
}

const CHARACTERS = ['a', '\u4e00', '\u{1f600}'];

/** What is short and would be long, or is long to compile: places that many parts refer to by a name, and patterns. */
const large: fc.Arbitrary<Definition> = fc
  .tuple(
    fc.constantFrom(...CHARACTERS),
    fc.integer({ min: 1, max: 10_000 }),
    fc.integer({ min: 1, max: 1_200 }),
    fc.boolean(),
  )
  .map(([character, length, references, isPattern]) => {
    const place = { [character.repeat(length)]: { $anchor: 'a' } };
    const many = { anyOf: Array.from({ length: references }, () => ({ $ref: '#a' })) };
    const properties = isPattern ? { a: { pattern: `[${'\\P{L}'.repeat(length)}]` } } : { ...place, many };
    return { ...WHOLE, outputSchema: { type: 'object', properties } };
  });

/** Names of any characters, whole and halved, about as long as may be. */
export const oddNames: fc.Arbitrary<string> = fc
  .tuple(
    fc.integer({ min: 0, max: 257 }),
    fc.constantFrom('x', ...CHARACTERS),
    fc.constantFrom('', '\ud800', '\udc00', '\u{1f600}', '\u200b'),
  ) // prettier-ignore
  .map(([length, character, last]) => character.repeat(length).slice(0, length) + last);

/** Tools without a name of theirs; a good many of them good all the same, for all that clients can tell. */
export const brokenTools: fc.Arbitrary<Definition> = fc.oneof(
  { weight: 4, arbitrary: anywhere },
  { weight: 4, arbitrary: anySchema },
  { weight: 2, arbitrary: references },
  { weight: 1, arbitrary: large },
);

/** Resources, templates and prompts, whatever they may be; each still needs what tells it apart. */
export const brokenOthers: fc.Arbitrary<Definition> = fc.dictionary(
  fc.constantFrom('title', 'description', 'icons', '_meta', 'annotations', 'mimeType', 'size', 'name', 'arguments'),
  fc.oneof(
    garbage,
    fc.constantFrom([{ src: 7 }], [{ src: 'i', sizes: 'any' }], { audience: ['robot'] }, { priority: 7 }),
    fc.constantFrom({ lastModified: 'now' }, [{ name: null }], [{ name: 'a', required: null }], [{ name: 'a', required: 'yes' }]), // prettier-ignore
  ),
  { maxKeys: 4 },
);
