import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';

const root = join(import.meta.dirname, '..', '..');
const readme = readFileSync(join(root, 'README.md'), 'utf8');
/** What stands before the reader is asked to do something. */
const opening = readme.slice(0, readme.indexOf('\n## '));
const blocks = (text: string): string[] =>
  [...text.matchAll(/^```[a-z]*\n(.*?)^```$/gms)].map(([, block]) => block ?? '');
/** Rows of tables, each as its cells. */
const rows = (text: string): string[][] =>
  text
    .split('\n')
    .filter((line) => /^\|.*\|$/.test(line))
    .map((line) =>
      line
        .split('|')
        .slice(1, -1)
        .map((cell) => cell.trim()),
    );

it('the README begins with a picture of what stands between agents and what they reach', () => {
  const picture = blocks(opening).find((block) => /[│┌└]/.test(block)) ?? '';
  for (const part of ['agents', 'Haldir', 'MCP', 'Gate', 'Proxy', 'Vault', 'Approvals', 'Watch', '▶']) {
    expect(picture).toContain(part);
  }
});

it('the README says what its words mean before it uses them', () => {
  const meanings = new Map(rows(opening).map(([word = '', meaning = '']) => [word, meaning]));
  for (const word of ['tenant', 'operator', 'key', 'session', 'agent', 'approver']) {
    expect({ word, meaning: meanings.get(`**${word}**`) ?? '' }).toEqual({
      word,
      meaning: expect.stringMatching(/.{40}/),
    });
  }
  expect(meanings.get('**key**')).toContain('agent key');
});

it('the README has three figures of how fast it is, and the tables are in docs/performance.md', () => {
  const fast = readme.slice(readme.indexOf('\n## How fast'), readme.indexOf('\n## Develop'));
  expect(fast.length).toBeGreaterThan(100);
  expect(rows(fast)).toEqual([]);
  expect(rows(readme).filter((cells) => cells.filter((cell) => /^[\d,.]+$/.test(cell)).length >= 2)).toEqual([]);
  expect(fast).toContain('docs/performance.md');
  const tables = rows(readFileSync(join(root, 'docs', 'performance.md'), 'utf8'));
  expect(tables.filter((cells) => cells.filter((cell) => /^[\d,.]+$/.test(cell)).length >= 2).length).toBeGreaterThan(
    10,
  );
});

it('the README names the frameworks that have recipes, where it connects agents', () => {
  const connect = readme.slice(readme.indexOf('\n## Connect your agent'), readme.indexOf('\n## Use it'));
  for (const framework of ['AI SDK', 'LangChain', 'OpenAI Agents', 'Mastra']) expect(connect).toContain(framework);
  expect(connect).toContain('docs/agents/README.md');
  expect(existsSync(join(root, 'docs', 'agents', 'README.md'))).toBe(true);
});
