import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import ts from 'typescript';

const root = join(import.meta.dirname, '..', '..');

/** Private words, and what the field calls it. Names are read word by word: `rateWishes` holds "wishes". */
const PRIVATE: Record<string, string[]> = {
  'protocol revision': ['era', 'eras'],
  'resources and prompts': ['offer', 'offers', 'offered'],
  'log_only, dry run': ['rehearse', 'rehearsed', 'rehearses', 'rehearsal', 'rehearsals'],
  request: ['wish', 'wishes'],
  decision: ['judge', 'judged', 'judges', 'judgement'],
  'row-level security': ['wall', 'walls'],
  'retry budget, deadline': ['patience', 'patient'],
  pattern: ['needle', 'needles'],
  scenario: ['story', 'stories', 'teller'],
};
const STANDARD = new Map(Object.entries(PRIVATE).flatMap(([standard, words]) => words.map((word) => [word, standard])));

/** Written for good, in databases and logs that exist. */
const WRITTEN = new Map([
  ['libs/database/src/migrations/', 'a migration stays as it was merged'],
  ['upstream_offers_changed', 'an action in the logs of tenants'],
  ['haldir_policy_rehearsals_total', 'the name the metric had, kept for a release'],
  ['offers', 'a column of proxy_offering'],
]);

const wordsOf = (name: string): string[] =>
  name
    .replace(/([a-z0-9])([A-Z])/g, '$1 $2')
    .toLowerCase()
    .split(/[^a-z]+/);

/** Identifiers, and names written as texts (metrics, events, codes), each once. */
function namesIn(source: string): Set<string> {
  const names = new Set<string>();
  const visit = (node: ts.Node): void => {
    if (ts.isIdentifier(node) || ts.isPrivateIdentifier(node)) names.add(node.text);
    else if (ts.isStringLiteralLike(node) && /^[\w.-]+$/.test(node.text)) names.add(node.text);
    ts.forEachChild(node, visit);
  };
  visit(ts.createSourceFile('file.ts', source, ts.ScriptTarget.Latest));
  return names;
}

const headingsIn = (page: string): string[] => page.split('\n').filter((line) => /^#{1,6} /.test(line));

/** Private words in names, each with the name it stands in. */
function privateWordsIn(names: Iterable<string>): string[] {
  return [...names]
    .filter((name) => !WRITTEN.has(name))
    .flatMap((name) => wordsOf(name).flatMap((word) => STANDARD.get(word) ?? []).map((say) => `${name}: say ${say}`)); // prettier-ignore
}

const files = execFileSync('git', ['ls-files'], { cwd: root, encoding: 'utf8' })
  .trim()
  .split('\n')
  .filter(
    (file) => ![...WRITTEN.keys()].some((folder) => file.startsWith(folder)) && file !== 'test/house/words.spec.ts',
  );
const textOf = (file: string): string => readFileSync(join(root, file), 'utf8');

it('finds private words in identifiers, in names that are texts, and in headings', () => {
  const names = namesIn(
    `class JudgesBody { #wish = counter('haldir_policy_rehearsals'); say() { return 'a wish of theirs'; } }`,
  );
  expect(privateWordsIn(names)).toEqual([
    'JudgesBody: say decision',
    '#wish: say request',
    'haldir_policy_rehearsals: say log_only, dry run',
  ]); // prettier-ignore
  expect(privateWordsIn(headingsIn('text of a wall\n## A wall'))).toEqual(['## A wall: say row-level security']);
});

it('has no private word for what has a standard name, in names of files', () => {
  expect(privateWordsIn(files)).toEqual([]);
});

it('has no private word for what has a standard name, in code', () => {
  const found = files.filter((file) => /\.(ts|mjs|js)$/.test(file)).map((file) => [file, privateWordsIn(namesIn(textOf(file)))]); // prettier-ignore
  expect(found.filter(([, words]) => words!.length > 0)).toEqual([]);
});

it('has no private word for what has a standard name, in headings', () => {
  const found = files.filter((file) => file.endsWith('.md')).map((file) => [file, privateWordsIn(headingsIn(textOf(file)))]); // prettier-ignore
  expect(found.filter(([, words]) => words!.length > 0)).toEqual([]);
});
