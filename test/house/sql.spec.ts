import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import ts from 'typescript';

const root = join(import.meta.dirname, '..', '..');

interface Statement {
  /** With `*` for what is put together when it is sent. */
  name: string;
  place: string;
}

const sources = ['apps', 'libs'].flatMap((folder) =>
  readdirSync(join(root, folder), { recursive: true, encoding: 'utf8' })
    .map((name) => `${folder}/${name.replaceAll('\\', '/')}`)
    .filter((name) => name.endsWith('.ts') && !name.endsWith('spec.ts'))
    .filter((name) => !name.startsWith('libs/database/src/migrations/'))
    .map((name) => parse(name, readFileSync(join(root, name), 'utf8'))),
);

describe('SQL', () => {
  it('stands in repositories, and in libs/database', () => {
    const held = sources.filter(({ fileName }) => !mayHoldSql(fileName));
    expect(held.length).toBeGreaterThan(200);
    expect(held.flatMap(sqlIn)).toEqual([]);
  });

  it('would be found elsewhere', () => {
    const text = [
      "const one = 'SELECT id FROM session';",
      'const two = `(SELECT count(*) FROM ${table} AS t WHERE t.id = $1)`;',
      'const three = `\n  UPDATE session AS s SET spent = 0`;',
      "const four = 'INSERT INTO session DEFAULT VALUES';",
      "const five = 'SELECT pg_advisory_xact_lock($1)';",
      "const prose = 'DELETE /v1/keys/{id} ends a key; what was an UPDATE of it is a POST';",
    ].join('\n');
    expect(sqlIn(parse('x.ts', text))).toEqual(['x.ts:1', 'x.ts:2', 'x.ts:3', 'x.ts:5', 'x.ts:6']);
  });
});

describe('named statements', () => {
  const statements = sources.flatMap(namedIn);

  it('are those that ADR 3 lists', () => {
    const page = readFileSync(join(root, 'docs/adr/0003-hot-statements-beside-typeorm.md'), 'utf8');
    const listed = [...page.matchAll(/`([a-z_]+(?:\.(?:[a-z_]+|\*))*\.v\d+)`/g)].map(([, name]) => name);
    expect(new Set(listed).size).toBe(listed.length);
    expect(listed.sort()).toEqual([...new Set(statements.map(({ name }) => name))].sort());
  });

  it('have one text each, and say which version of it', () => {
    const isAgain = ({ name }: Statement, i: number): boolean =>
      statements.findIndex((other) => other.name === name) < i;
    expect(statements.filter(isAgain)).toEqual([]);
    expect(statements.filter(({ name }) => !/^[a-z_.*]+\.v\d+$/.test(name))).toEqual([]);
  });

  it('would be found, with a second text under a name', () => {
    const text = [
      "const find = { name: 'session.find.v1', text: `SELECT ${columns.list} FROM session` };",
      'const some = { statement: { name: `session.${order}.v2`, text: page }, values };',
      "const person = { name: 'Ann', text: 'hello' };",
    ].join('\n');
    expect(namedIn(parse('x.ts', text))).toEqual([
      { name: 'session.find.v1', place: 'x.ts:1' },
      { name: 'session.*.v2', place: 'x.ts:2' },
    ]);
  });
});

function mayHoldSql(file: string): boolean {
  return file.endsWith('.repository.ts') || file.startsWith('libs/database/src/');
}

function parse(name: string, text: string): ts.SourceFile {
  return ts.createSourceFile(name, text, ts.ScriptTarget.Latest, true);
}

/** Where texts are SQL: they begin like a statement of it, or have one in them. */
function sqlIn(source: ts.SourceFile): string[] {
  return nodesIn(source).flatMap((node) => {
    const text = textOf(node);
    return text !== null && isSql(text) ? [placeOf(node)] : [];
  });
}

function isSql(text: string): boolean {
  return (
    /^\s*(?:SELECT|INSERT INTO|DELETE FROM|UPDATE \S+ (?:AS )?\S* ?SET|WITH (?:RECURSIVE )?\S+ AS)\s/.test(text) ||
    /\b(?:SELECT\s[^;]*\sFROM|INSERT INTO \S+ [(S]|DELETE FROM \S+ (?:WHERE|USING)|UPDATE \S+ SET)\b/.test(text)
  );
}

/** Statements that are prepared under a name: objects of a name that has a version, or a text that is SQL. */
function namedIn(source: ts.SourceFile): Statement[] {
  return nodesIn(source).flatMap((node) => {
    if (!ts.isObjectLiteralExpression(node)) return [];
    const [name, text] = [memberOf(node, 'name'), memberOf(node, 'text')];
    const said = name && textOf(name);
    if (!said || !text || !(/\.v\d+$/.test(said) || isSql(textOf(text) ?? ''))) return [];
    return [{ name: said, place: placeOf(name) }];
  });
}

function memberOf(object: ts.ObjectLiteralExpression, name: string): ts.Expression | undefined {
  const found = object.properties.find((member) => member.name?.getText() === name);
  return found && ts.isPropertyAssignment(found) ? found.initializer : undefined;
}

/** What a text says, with `*` for what is put into it; null for what is no text. */
function textOf(node: ts.Node): string | null {
  if (ts.isStringLiteral(node) || ts.isNoSubstitutionTemplateLiteral(node)) return node.text;
  if (!ts.isTemplateExpression(node)) return null;
  return node.head.text + node.templateSpans.map(({ literal }) => `*${literal.text}`).join('');
}

function nodesIn(source: ts.SourceFile): ts.Node[] {
  const nodes: ts.Node[] = [];
  const visit = (node: ts.Node): void => {
    nodes.push(node);
    ts.forEachChild(node, visit);
  };
  visit(source);
  return nodes;
}

function placeOf(node: ts.Node): string {
  const source = node.getSourceFile();
  return `${source.fileName}:${source.getLineAndCharacterOfPosition(node.getStart()).line + 1}`;
}
