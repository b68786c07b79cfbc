import { readdirSync, readFileSync } from 'node:fs';
import { join, relative } from 'node:path';
import { checkSync } from 'recheck';
import ts from 'typescript';

const root = join(import.meta.dirname, '..', '..');

/**
 * Built from what a run has: its fixed parts are looked at, and what is put between them is escaped or of our own making; or of an
 * upstream's, to see whether clients could compile it, and run on nothing.
 */
const BUILT_AT_RUN_TIME = ['libs/http/src/platform/known-routes.ts', 'libs/proxy/src/mcp-client/schema-patterns.ts'];

interface Pattern {
  place: string;
  file: string;
  source: string | null;
  flags: string | null;
}

const sources = ['apps', 'libs'].flatMap((folder) =>
  readdirSync(join(root, folder), { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile() && /\.(?:tsx?|js)$/.test(entry.name) && !/spec\.ts$/.test(entry.name))
    .map((entry) => join(entry.parentPath, entry.name))
    .map((file) => ts.createSourceFile(file, readFileSync(file, 'utf8'), ts.ScriptTarget.Latest, true)),
);

/** What patterns are put together from, by name: of the same file, else of any. */
const constants = new Map<string, ts.Expression>();
for (const source of sources) remember(source);

it('no regular expression of ours takes more than linear time', { timeout: 120_000 }, () => {
  process.env['RECHECK_BACKEND'] = 'pure';
  const patterns = sources.flatMap(patternsIn);
  expect(patterns.length).toBeGreaterThan(100);
  const unknown = patterns.filter(({ source, file }) => source === null && !BUILT_AT_RUN_TIME.includes(file));
  expect(unknown.map(({ place }) => place)).toEqual([]);
  const distinct = new Map(patterns.map((pattern) => [`/${pattern.source}/${pattern.flags}`, pattern]));
  const slow = [...distinct.values()].flatMap(({ place, source, flags }) => {
    if (source === null || flags === null || !/[*+{]/.test(source)) return [];
    if (verdict(loosened(source), flags) === 'safe') return [];
    const found = verdict(source, flags);
    return found === 'safe' ? [] : [`${place} /${source}/${flags}: ${found}`];
  });
  expect(slow).toEqual([]);
});

it('a pattern that takes more would be found', () => {
  const source = ts.createSourceFile(
    'x.ts',
    'const DIGITS = String.raw`\\d+`; /^(?:\\d+\\.?\\d*)$/u; new RegExp(`^${["a", DIGITS].join("|")}$`)',
    ts.ScriptTarget.Latest,
    true,
  );
  remember(source);
  const [literal, built] = patternsIn(source);
  expect(verdict(literal?.source ?? '', 'u')).toBe('2nd degree polynomial');
  expect(built?.source).toBe('^a|\\d+$');
});

function verdict(source: string, flags: string): string {
  const found = checkSync(source, flags, { checker: 'automaton', timeout: null });
  return found.status === 'vulnerable' ? found.complexity.summary : found.status;
}

/** Every regular expression of a file, written as such or made of texts. */
function patternsIn(file: ts.SourceFile): Pattern[] {
  const found: Pattern[] = [];
  each(file, (node) => {
    const name = relative(root, file.fileName);
    const place = `${name}:${file.getLineAndCharacterOfPosition(node.getStart()).line + 1}`;
    if (ts.isRegularExpressionLiteral(node)) {
      const end = node.text.lastIndexOf('/');
      found.push({ place, file: name, source: node.text.slice(1, end), flags: node.text.slice(end + 1) });
    } else if ((ts.isNewExpression(node) || ts.isCallExpression(node)) && node.expression.getText() === 'RegExp') {
      const [text, flags] = node.arguments ?? [];
      found.push({ place, file: name, source: text ? textOf(text) : '', flags: flags ? textOf(flags) : '' });
    }
  });
  return found;
}

/** The text that an expression stands for; null where only a run can tell. */
function textOf(node: ts.Expression): string | null {
  if (ts.isStringLiteral(node) || ts.isNoSubstitutionTemplateLiteral(node)) return node.text;
  if (ts.isIdentifier(node)) {
    const initializer = constantOf(node);
    return initializer ? textOf(initializer) : null;
  }
  if (ts.isTaggedTemplateExpression(node) && node.tag.getText() === 'String.raw')
    return ts.isNoSubstitutionTemplateLiteral(node.template)
      ? (node.template.rawText ?? null)
      : joined(node.template, (part) => part.rawText ?? part.text);
  if (ts.isTemplateExpression(node)) return joined(node, (part) => part.text);
  if (!ts.isCallExpression(node) || !ts.isPropertyAccessExpression(node.expression)) return null;
  const { expression: list, name } = node.expression;
  const items = name.text === 'join' ? itemsOf(list) : null;
  const texts = items?.map(textOf);
  return texts && !texts.includes(null) ? texts.join(textOf(node.arguments[0] as ts.Expression) ?? ',') : null;
}

function itemsOf(node: ts.Expression): readonly ts.Expression[] | null {
  if (ts.isArrayLiteralExpression(node)) return node.elements;
  if (ts.isAsExpression(node)) return itemsOf(node.expression);
  const initializer = ts.isIdentifier(node) ? constantOf(node) : undefined;
  return initializer ? itemsOf(initializer) : null;
}

function joined(node: ts.TemplateExpression, text: (part: ts.TemplateLiteralLikeNode) => string): string | null {
  const parts = node.templateSpans.map(({ expression, literal }) => [textOf(expression), text(literal)] as const);
  if (parts.some(([value]) => value === null)) return null;
  return text(node.head) + parts.map(([value, rest]) => `${value}${rest}`).join('');
}

function remember(file: ts.SourceFile): void {
  each(file, (node) => {
    if (!ts.isVariableDeclaration(node) || !ts.isIdentifier(node.name) || !node.initializer) return;
    constants.set(node.name.text, node.initializer);
    constants.set(`${file.fileName} ${node.name.text}`, node.initializer);
  });
}

function constantOf(name: ts.Identifier): ts.Expression | undefined {
  return constants.get(`${name.getSourceFile().fileName} ${name.text}`) ?? constants.get(name.text);
}

/** With repetitions that have an end in place of which there is none: quicker to look at, and never quicker to match. */
function loosened(source: string): string {
  return source.replace(/\{\d+(?:,\d*)?\}/g, (repeated, at: number) => (source[at - 1] === 'u' ? repeated : '+'));
}

function each(node: ts.Node, visit: (node: ts.Node) => void): void {
  visit(node);
  ts.forEachChild(node, (child) => each(child, visit));
}
