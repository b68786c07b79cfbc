import { type Json, type Operation } from './api-document.js';
import { type Case, JSON_TYPE, makeCase } from './case.js';
import { type Input } from './contract-client.js';
import { CANARY, NUMBERS, ONE_OF_EACH, randomBodies, TEXTS } from './hostile-values.js';

/** Where a field takes more than the document says: that is what behaviour adds. */
const ALSO_TAKES: Readonly<Record<string, readonly string[]>> = {
  // An object is kept as its JSON text.
  'logAction details': ['object'],
  'requestApproval details': ['object'],
  // Clients that write every parameter write null for those they do not use.
  'proxyCall arguments': ['null'],
  'addProxyPolicy tool': ['null'],
  'addProxyPolicy tools': ['null'],
  'addProxyPolicy max': ['null'],
  'addProxyPolicy max_per_minute': ['null'],
  'addProxyPolicy start_hour': ['null'],
  'addProxyPolicy end_hour': ['null'],
};

/** Stands for what JSON.stringify would not write. */
const RAW = '@raw@';

type Member = (what: string, value: unknown, expected?: number) => Case;

/** Each member of the body on its own, then the body as a whole. */
export function bodyCases(operation: Operation, input: Input, seed: number): Case[] {
  if (operation.method === 'GET') return [];
  return [
    ...variantsOf(operation, input).flatMap(({ body, properties, required }) =>
      Object.entries(properties).flatMap(([name, schema]) =>
        memberCases(operation, { ...input, body }, name, schema, required.includes(name)),
      ),
    ),
    ...wholeBodyCases(operation, input, seed),
  ];
}

interface Variant {
  body: Json;
  properties: Record<string, Json>;
  required: string[];
}

/** The kinds of bodies an operation takes: one, or one for each of its `oneOf`, known by their constant members. */
function variantsOf({ body: schema }: Operation, { body }: Input): Variant[] {
  if (schema === null) return [];
  return kindsOf(schema).map((kind) => {
    const properties = kind['properties'] as Record<string, Json>;
    const constants = Object.entries(properties).filter(([, property]) => 'const' in property);
    const fixed = Object.fromEntries(constants.map(([name, property]) => [name, property['const']]));
    return {
      body: schema['oneOf'] === undefined ? (body as Json) : fixed,
      properties,
      required: (kind['required'] as string[] | undefined) ?? [],
    };
  });
}

const kindsOf = (schema: Json): Json[] => (schema['oneOf'] as Json[] | undefined) ?? [schema];

function memberCases(operation: Operation, input: Input, name: string, schema: Json, required: boolean): Case[] {
  const types = [schema['type']].flat().map(String);
  const takes = new Set([...types, ...(ALSO_TAKES[`${operation.id} ${name}`] ?? [])]);
  const member: Member = (what, value, expected) =>
    makeCase(operation, input, `${name} is ${what}`, {
      body: JSON.stringify({ ...(input.body as Json), [name]: value }),
      field: name,
      ...(expected !== undefined && { expected }),
    });
  const raw = (what: string, token: string, expected?: number): Case => {
    const written = member(what, RAW, expected);
    return { ...written, body: (written.body ?? '').replace(`"${RAW}"`, token) };
  };
  const noJson = (what: string, token: string): Case => ({ ...raw(what, token, 400), field: 'request body' });
  const cases = ONE_OF_EACH.filter(([type]) => !takes.has(type)).map(([type, value]) =>
    member(`a ${type}`, value, 400),
  );
  if (required) cases.push(member('left out', undefined, 400));
  if ('enum' in schema || 'const' in schema) {
    cases.push(...[CANARY, '', '__proto__'].map((value) => member(`not of the list, ${value}`, value, 400)));
  }
  if (types.includes('string')) {
    cases.push(...Object.entries(TEXTS).map(([what, text]) => member(what, text)));
    cases.push(member('with NUL', `${CANARY}\0`, 400), member('half a surrogate', `\udfff${CANARY}`, 400));
  }
  if (types.includes('number') || types.includes('integer')) {
    cases.push(...Object.entries(NUMBERS).map(([what, number]) => member(what, number)));
    cases.push(raw('less than zero, barely', '-0'), raw('1e400', '1e400', 400), raw('-1e400', '-1e400', 400));
    cases.push(raw('of 400 digits', '9'.repeat(400), 400), raw('of 4,000 places', `0.${'3'.repeat(4000)}`));
    cases.push(noJson('NaN', 'NaN'), noJson('Infinity', 'Infinity'), noJson('of leading zeros', '007'));
    const numerals = types.includes('string') ? [] : ['1'];
    for (const text of ['NaN', '', '1e3', ...numerals]) cases.push(member(`the text ${text}`, text, 400));
  }
  if (types.includes('integer')) cases.push(member('a fraction', 1.5, 400));
  if (types.includes('array')) cases.push(...listCases(member, schema));
  if (takes.has('object')) {
    const many = Object.fromEntries(Array.from({ length: 10_000 }, (_, i) => [`${CANARY}${i}`, i]));
    cases.push(member('of 10,000 members', many), member('of a deep NUL', { deep: [{ x: `${CANARY}\0` }] }, 400));
    cases.push(member('of a NUL under a strange name', { [`<${CANARY}>`]: '\0' }, 400));
    cases.push(member('with strange names', { '': 1, constructor: 2, toString: 3, [CANARY]: { hasOwnProperty: 4 } }));
    cases.push(raw('with a prototype', '{"__proto__": {"polluted": true}}', 400));
    cases.push(raw('deep', '{"a":'.repeat(60) + '1' + '}'.repeat(60)));
  }
  return cases;
}

function listCases(member: Member, schema: Json): Case[] {
  const items = (schema['items'] ?? {}) as Json;
  const cases = [
    member('empty', []),
    member('of 10,000', Array<string>(10_000).fill(CANARY)),
    member('of 10,000 numbers', Array<number>(10_000).fill(1), 400),
    member('of one text of 100 kB', [CANARY.repeat(11_112)]),
    member('of a text twice', [CANARY, CANARY]),
    ...ONE_OF_EACH.filter(([type]) => type !== 'string').map(([type, value]) => member(`of a ${type}`, [value], 400)),
    ...Object.entries(TEXTS)
      .filter(([what]) => what !== '100 kB')
      .map(([what, text]) => member(`of ${what}`, [text])),
    member('of a text with NUL', [`${CANARY}\0`], 400),
  ];
  if ('enum' in items) cases.push(member('of nothing of the list', [CANARY], 400));
  return cases;
}

function wholeBodyCases(operation: Operation, input: Input, seed: number): Case[] {
  const { body: schema } = operation;
  const sent = (what: string, body: string | undefined, expected?: number, headers = JSON_TYPE): Case => {
    const { body: _, ...plain } = makeCase(operation, input, `the body is ${what}`, {});
    return { ...plain, headers, ...(body !== undefined && { body }), ...(expected !== undefined && { expected }) };
  };
  const given = (input.body ?? {}) as Json;
  const text = JSON.stringify(given);
  const typed = (type: string, body: string, expected?: number): Case =>
    sent(`of type ${type}`, body, expected, { 'content-type': type });
  const strange = { ...given, [CANARY]: CANARY, toString: 1, hasOwnProperty: null, id: 1, tenant_id: CANARY };
  const needsBody = schema !== null && kindsOf(schema).every((kind) => [kind['required'] ?? []].flat().length > 0);
  return [
    sent('a list', `["${CANARY}"]`, 400),
    sent('a text', `"${CANARY}"`, 400),
    sent('a number', '17', 400),
    sent('null', 'null', 400),
    sent('cut off', text.slice(0, -1), 400),
    sent('followed by more', `${text}${text}`, 400),
    sent('without quotes', `{agent_id: ${CANARY}}`, 400),
    sent('with a byte order mark', `\ufeff${text}`),
    sent('absent', undefined, needsBody ? 400 : undefined),
    sent('an empty object', '{}', needsBody ? 400 : undefined),
    sent('with a prototype', `{"__proto__":{"a":1},${text.slice(1)}`.replace(',}', '}'), 400),
    sent('with members nobody knows', JSON.stringify(strange)),
    sent('with members named twice', text === '{}' ? '{"a":1,"a":2}' : `{${text.slice(1, -1)},${text.slice(1, -1)}}`),
    sent('5,000 deep', `{"a":${'['.repeat(5000)}${']'.repeat(5000)}}`, 400),
    sent('over a MiB', `{"a":"${CANARY.repeat(120_000)}"}`, 413),
    typed('application/x-www-form-urlencoded', `agent_id=${CANARY}&name=${CANARY}`, 400),
    typed('multipart/form-data; boundary=x', `--x\r\n\r\n${CANARY}\r\n--x--`, 400),
    typed('text/xml', `<a>${CANARY}</a>`, 400),
    typed('no/such;;type', `{${CANARY}`, 400),
    ...randomBodies(namesOf(schema), schema ? 25 : 3, seed).map((body, i) =>
      sent(`random, ${i}`, JSON.stringify(body)),
    ),
  ];
}

function namesOf(schema: Json | null): string[] {
  return schema ? kindsOf(schema).flatMap((kind) => Object.keys((kind['properties'] ?? {}) as Json)) : [];
}
