import { type Operation, type Parameter, pathOf } from './api-document.js';
import { bodyCases } from './body-cases.js';
import { type Case, JSON_TYPE, makeCase } from './case.js';
import { type Input } from './contract-client.js';
import { CANARY, SEGMENTS, TEXTS } from './hostile-values.js';

/**
 * Every case of one operation, from the document: each parameter and each member of the body on its own, then the body
 * as a whole.
 *
 * @param input that succeeds, or would but for the cases before
 */
export function casesOf(operation: Operation, input: Input, seed: number): Case[] {
  return [
    ...operation.parameters.flatMap((parameter) => parameterCases(operation, input, parameter)),
    ...strangeQueries(operation, input),
    ...bodyCases(operation, input, seed),
  ];
}

function parameterCases(operation: Operation, input: Input, parameter: Parameter): Case[] {
  const { name } = parameter;
  switch (parameter.in) {
    case 'path':
      return Object.entries(SEGMENTS).map(([what, segment]) =>
        makeCase(operation, input, `${name} in the path is ${what}`, {
          path: operation.path.replace(/\{(\w+)\}/g, (_, other: string) =>
            other === name ? segment : encodeURIComponent(input.path?.[other] ?? ''),
          ),
          strays: true,
        }),
      );
    case 'query':
      return queryCases(operation, input, parameter);
    case 'header':
      return HEADERS.map((value) =>
        makeCase(operation, input, `the header ${name} is ${JSON.stringify(value).slice(0, 20)}`, {
          headers: {
            ...(input.body !== undefined && JSON_TYPE),
            [name]: Buffer.from(value).toString('latin1'),
          },
          field: name,
        }),
      );
  }
}

const HEADERS = ['', ' ', CANARY, '"', '""', 'x'.repeat(300), `"${CANARY}`, 'ü', '\t', 'a,b', '__proto__'];
const NO_INTEGERS = [
  ...[CANARY, '', '1.5', '1e3', 'NaN', 'Infinity', '0x10', ' 5', '5 ', '+5', '1_0', '5;', '٥', 'true', 'null', '--5'],
];
const NO_CURSORS = [
  ...[CANARY, 'AA', 'AQAAAAE', Buffer.alloc(64, 7).toString('base64url'), '{"id":1}', '0', 'bnVsbA==', ''],
];

function queryCases(operation: Operation, input: Input, { name, schema, required }: Parameter): Case[] {
  const others = Object.entries(input.query ?? {}).filter(([other]) => other !== name);
  const sent = (what: string, encoded: string, expected?: number): Case =>
    makeCase(operation, input, `${name} in the query is ${what}`, {
      path: `${pathOf(operation, input.path ?? {})}?${[...others.map(([key, value]) => `${key}=${String(value)}`), encoded].join('&')}`,
      field: name,
      ...(expected !== undefined && { expected }),
    });
  const wrong = (what: string, value: string): Case => sent(what, `${name}=${encodeURIComponent(value)}`, 400);
  const cases = [
    ...Object.entries(TEXTS)
      .filter(([what]) => what !== '100 kB')
      .map(([what, text]) => sent(what, `${name}=${encodeURIComponent(text)}`)),
    sent('8 kB', `${name}=${CANARY.repeat(888)}`),
    sent('given twice', `${name}=${CANARY}&${name}=${CANARY}`, 400),
    sent('a list', `${name}[]=${CANARY}`),
    sent('an object', `${name}[x]=${CANARY}`),
    sent('without a value', name),
    sent('no encoding', `${name}=%zz`),
    sent('no UTF-8', `${name}=%ff%fe${CANARY}`),
    { ...sent('NUL', `${name}=%00${CANARY}`, 400), field: 'query' },
  ];
  if (required) cases.push(sent('left out', '', 400));
  if (schema['type'] === 'integer') {
    cases.push(...NO_INTEGERS.map((value) => wrong(`the integer ${JSON.stringify(value)}`, value)));
    const { minimum, maximum } = schema as { minimum?: number; maximum?: number };
    cases.push(...['-1', '0', '9'.repeat(40), '-9'.padEnd(40, '9')].map((value) => sent(value, `${name}=${value}`)));
    if (minimum !== undefined) cases.push(wrong('below the least', String(minimum - 1)));
    if (maximum !== undefined) cases.push(wrong('above the most', String(maximum + 1)));
  }
  if (Array.isArray(schema['enum'])) {
    const [value] = schema['enum'] as string[];
    cases.push(wrong('nothing of the list', CANARY), wrong('in capitals', String(value).toUpperCase()));
    cases.push(wrong('empty', ''));
  }
  if (name === 'cursor') cases.push(...NO_CURSORS.map((value) => wrong(`the cursor ${value}`, value)));
  return cases;
}

const STRANGE_QUERIES = [
  ...['__proto__=x', '__proto__[x]=y', 'constructor[prototype][x]=y', 'toString=1', 'hasOwnProperty', '%00=x', '='],
  ...['&&&', '%zz=%zz', `strange=${CANARY}`],
];

function strangeQueries(operation: Operation, input: Input): Case[] {
  // An open operation has nothing to refuse.
  const queries = STRANGE_QUERIES.filter((query) => operation.secured || !query.includes('%00'));
  return queries.map((query) => {
    const plain = makeCase(operation, input, `the query has ${query}`, {});
    return { ...plain, path: `${plain.path}${plain.path.includes('?') ? '&' : '?'}${query}` };
  });
}
