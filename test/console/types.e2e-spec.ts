// The types that the console asks the API by, as they are generated from the document that is served.
import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import openapiTS, { astToString, type OpenAPI3 } from 'openapi-typescript';
import { sharedWorld } from '@haldir/test-support';

/** Set it to write them anew: `HALDIR_RECORD_TYPES=true npm test -- e2e test/console/types`. */
const isRecording = process.env.HALDIR_RECORD_TYPES === 'true';
const SOURCES = join(import.meta.dirname, '../../apps/console/src');
const FILE = join(SOURCES, 'api/schema.ts');
const HEAD =
  '// Generated from the served document: test/console/types.e2e-spec.ts. Only the operations that the console asks for.\n';

type Json = Record<string, unknown>;

/** What is written for people is no type: without it the types stay as they are when only words or examples change. */
const WORDS = ['description', 'summary', 'example', 'examples', 'title'];

function withoutWords(value: unknown, isNames = false): unknown {
  if (Array.isArray(value)) return value.map((item) => withoutWords(item));
  if (typeof value !== 'object' || value === null) return value;
  const members = Object.entries(value).filter(([name]) => isNames || !WORDS.includes(name));
  return Object.fromEntries(
    members.map(([name, member]) => [name, withoutWords(member, !isNames && name === 'properties')]),
  );
}

/** Members that nothing may be: as good as none. */
const NEVER = /^ *\w+\?: never;\n/gm;

/** The document with the operations that the console asks for, and what they refer to. */
function used(document: Json): Json {
  const code = readdirSync(SOURCES, { recursive: true, encoding: 'utf8' })
    .filter((file) => /\.tsx?$/.test(file) && !file.endsWith('schema.ts'))
    .sort() // A directory's own order differs from file system to file system.
    .map((file) => readFileSync(join(SOURCES, file), 'utf8'))
    .join('\n');
  const paths: Record<string, Json> = {};
  for (const [, method = '', path = ''] of code.matchAll(/\bapi\.([A-Z]+)\(\s*'([^']+)'/g)) {
    const name = method.toLowerCase();
    const operation = (document['paths'] as Record<string, Json>)[path]?.[name];
    (paths[path] ??= {})[name] = withGoodAnswers(operation as { responses: Record<string, Json> });
  }
  const components: Record<string, Json> = {};
  const take = (value: unknown): void => {
    for (const [, kind = '', name = ''] of JSON.stringify(value).matchAll(/"#\/components\/(\w+)\/([^"]+)"/g)) {
      if (components[kind]?.[name] !== undefined) continue;
      const found = (document['components'] as Record<string, Json>)[kind]?.[name];
      (components[kind] ??= {})[name] = found;
      take(found);
    }
  };
  take(paths);
  return { ...document, paths, components };
}

/** A refusal is a `Problem` to the console, whatever the operation; headers are read where all answers come by. */
function withGoodAnswers({ responses, ...rest }: { responses: Record<string, Json> }): Json {
  const good = Object.entries(responses).filter(([status]) => status.startsWith('2'));
  return {
    ...rest,
    responses: Object.fromEntries(good.map(([status, { headers: _, ...answer }]) => [status, answer])),
  };
}

it('are those of the served document', async () => {
  const { body } = await (await sharedWorld()).operator.get('/openapi.json');
  const types = astToString(await openapiTS(withoutWords(used(body)) as OpenAPI3));
  const generated = HEAD + types.replaceAll(NEVER, '');
  if (isRecording) writeFileSync(FILE, generated);
  expect(readFileSync(FILE, 'utf8')).toBe(generated);
}, 120_000);
