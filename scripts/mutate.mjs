// @ts-check
// `npm run mutate`: changes one token at a time in code that must not be wrong, in a copy of the repository, and runs the
// specs of that code. A mutant that no spec notices is printed; it is either equivalent or a test that is missing.
//
//   npm run mutate                        every mutant of verifier and money; takes its time
//   npm run mutate -- verifier            of one of them
//   npm run mutate -- money --limit 40    so many, spread evenly
import { spawnSync } from 'node:child_process';
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';

const root = path.dirname(path.dirname(fileURLToPath(import.meta.url)));

/** @type {Record<string, { files: string[], specs: string[] }>} */
const TARGETS = {
  verifier: {
    files: ['checkpoint', 'entry-check', 'entry-hash', 'erasures', 'export-check', 'merkle', 'proof-check'].map(
      (name) => `libs/verifier/src/${name}.ts`,
    ),
    specs: ['libs/verifier', 'libs/audit-log/src/log-key.spec.ts'],
  },
  money: {
    files: ['libs/kernel/src/money.ts', 'libs/vault/src/exchange-rates.ts'],
    specs: ['libs/kernel/src/money.spec.ts', 'libs/vault/src/exchange-rates.spec.ts'],
  },
};

/** What is written in place of what. @type {[RegExp, string][]} */
const CHANGES = [
  [/ < /g, ' <= '],
  [/ <= /g, ' < '],
  [/ > /g, ' >= '],
  [/ >= /g, ' > '],
  [/ === /g, ' !== '],
  [/ !== /g, ' === '],
  [/ && /g, ' || '],
  [/ \|\| /g, ' && '],
  [/ \+ /g, ' - '],
  [/ - /g, ' + '],
  [/ \* /g, ' / '],
  [/ \/ /g, ' * '],
  [/ % /g, ' * '],
  [/ >> /g, ' << '],
  [/\btrue\b/g, 'false'],
  [/\bfalse\b/g, 'true'],
  [/\b0n\b/g, '1n'],
  [/\b1n\b/g, '2n'],
  [/(?<![\w.'])0(?![\w.'])/g, '1'],
  [/(?<![\w.'])1(?![\w.'])/g, '2'],
  [/\bif \(!/g, 'if ('],
  [/\breturn null;/g, 'return undefined;'],
  [/\bthrow new /g, 'void new '],
  [/\.every\(/g, '.some('],
  [/\.some\(/g, '.every('],
];

/** @typedef {{ file: string, line: number, before: string, after: string, source: string }} Mutant */

/**
 * @param {string} file
 * @returns {Mutant[]}
 */
function mutantsOf(file) {
  const lines = fs.readFileSync(path.join(root, file), 'utf8').split('\n');
  return lines.flatMap((before, index) => {
    if (/^\s*(\/?\*|\/\/|import |export (type|interface)|type |interface )/.test(before)) return [];
    return CHANGES.flatMap(([pattern, replacement]) =>
      [...before.matchAll(pattern)].flatMap((match) => {
        // Words of a message are not code.
        const quotes = before.slice(0, match.index).split(/['`]/).length - 1;
        if (quotes % 2 === 1) return [];
        const after = before.slice(0, match.index) + replacement + before.slice(match.index + match[0].length);
        const source = [...lines.slice(0, index), after, ...lines.slice(index + 1)].join('\n');
        return [{ file, line: index + 1, before: before.trim(), after: after.trim(), source }];
      }),
    );
  });
}

const { values, positionals } = parseArgs({ allowPositionals: true, options: { limit: { type: 'string' } } });
const names = positionals.length > 0 ? positionals : Object.keys(TARGETS);
const unknown = names.find((name) => !(name in TARGETS));
if (unknown !== undefined || !/^[1-9]\d{0,6}$/.test(values.limit ?? '1')) {
  console.error(`npm run mutate -- [${Object.keys(TARGETS).join('|')}] [--limit 40]`);
  process.exit(2);
}

const copy = fs.mkdtempSync(path.join(os.tmpdir(), 'haldir-mutants-'));
process.on('exit', () => fs.rmSync(copy, { recursive: true, force: true }));
for (const name of /** @type {const} */ (['SIGINT', 'SIGTERM'])) process.on(name, () => process.exit(130));
for (const name of ['apps', 'libs', 'test', 'scripts', 'package.json', 'tsconfig.json', 'vitest.config.ts']) {
  fs.cpSync(path.join(root, name), path.join(copy, name), { recursive: true });
}
fs.symlinkSync(fs.realpathSync(path.join(root, 'node_modules')), path.join(copy, 'node_modules'));

/**
 * @param {string[]} specs
 * @returns {boolean} whether the specs pass
 */
function passes(specs) {
  const vitest = path.join(copy, 'node_modules', 'vitest', 'vitest.mjs');
  const args = ['run', '--project', 'unit', '--bail', '1', '--reporter', 'dot', ...specs];
  return spawnSync(process.execPath, [vitest, ...args], { cwd: copy, stdio: 'ignore', timeout: 120_000 }).status === 0;
}

for (const name of names) {
  const { files, specs } = TARGETS[name] ?? { files: [], specs: [] };
  if (!passes(specs)) {
    console.error(`${name}: the specs fail without any mutant`);
    process.exit(1);
  }
  const all = files.flatMap(mutantsOf);
  const limit = Math.min(all.length, Number(values.limit ?? all.length));
  const chosen = Array.from({ length: limit }, (_, i) => all[Math.floor((i * all.length) / limit)]);
  let survived = 0;
  for (const mutant of chosen) {
    if (!mutant) continue;
    const file = path.join(copy, mutant.file);
    const original = fs.readFileSync(file);
    fs.writeFileSync(file, mutant.source);
    if (passes(specs)) {
      survived++;
      console.log(`${mutant.file}:${mutant.line}\n  - ${mutant.before}\n  + ${mutant.after}`);
    }
    fs.writeFileSync(file, original);
  }
  console.log(`${name}: ${limit} of ${all.length} mutants, ${limit - survived} noticed, ${survived} not`);
}
