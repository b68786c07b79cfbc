// What npm run check remembers from one run to the next, in a small repository of its own.
import { spawnSync } from 'node:child_process';
import { cpSync, mkdirSync, mkdtempSync, realpathSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

const root = join(import.meta.dirname, '..', '..');
let tree: string;
beforeAll(() => {
  tree = realpathSync(mkdtempSync(join(tmpdir(), 'haldir-check-')));
  cpSync(join(root, 'scripts', 'check'), join(tree, 'scripts', 'check'), { recursive: true });
  symlinkSync(realpathSync(join(root, 'node_modules')), join(tree, 'node_modules'));
  write('package.json', '{ "type": "module" }');
  write(
    'eslint.config.js',
    `import tseslint from 'typescript-eslint';
     export default tseslint.config({ ignores: ['scripts/', '*.js'] }, {
       files: ['libs/*.ts'],
       extends: [tseslint.configs.base],
       languageOptions: { parserOptions: { projectService: true, tsconfigRootDir: import.meta.dirname } },
       rules: { '@typescript-eslint/no-floating-promises': 'error' },
     });`,
  );
  write('libs/console.d.ts', 'declare const console: { log(text: string): void };\n');
  const compilerOptions = { module: 'nodenext', target: 'ES2023', strict: true, types: [], skipLibCheck: true };
  write('tsconfig.json', JSON.stringify({ compilerOptions, include: ['libs'] }));
  write('libs/saves.ts', 'export function save(text: string) {\n  return console.log(text);\n}\n');
  write('libs/calls.ts', "import { save } from './saves.js';\n\nsave('a');\n");
  write('libs/other.ts', "export const other = 'a';\n");
});
afterAll(() => rmSync(tree, { recursive: true }));

function write(file: string, text: string): void {
  mkdirSync(join(tree, file, '..'), { recursive: true });
  writeFileSync(join(tree, file), text);
}

/** As `npm run check` runs them, one after the other, on one cache. */
function check(...names: string[]): { status: (number | null)[]; said: string } {
  const runs = names.map((name) =>
    spawnSync(process.execPath, [join(tree, 'scripts', 'check', `${name}.mjs`), join(tree, 'cache')], {
      cwd: tree,
      encoding: 'utf8',
    }),
  );
  return {
    status: runs.map(({ status }) => status),
    said: runs.map(({ stdout, stderr }) => stdout + stderr).join(''),
  };
}

it('the lint finds what a change of one file makes wrong in another that did not change, until it is put right', () => {
  expect(check('types', 'lint')).toEqual({ status: [0, 0], said: '' });
  write('libs/saves.ts', 'export async function save(text: string) {\n  return console.log(text);\n}\n');
  const { status, said } = check('types', 'lint');
  expect(status).toEqual([0, 1]);
  expect(said).toMatch(/calls\.ts[\s\S]*no-floating-promises/);
  expect(check('lint').status).toEqual([1]);
  write('libs/calls.ts', "import { save } from './saves.js';\n\nawait save('a');\n");
  expect(check('types', 'lint')).toEqual({ status: [0, 0], said: '' });
}, 300_000);

it('a type error stays one until it is put right', () => {
  write('libs/other.ts', 'export const other: number = "a";\n');
  for (let run = 0; run < 2; run++) {
    const { status, said } = check('types');
    expect(status).toEqual([1]);
    expect(said).toContain('TS2322');
  }
  write('libs/other.ts', 'export const other: number = 1;\n');
  expect(check('types')).toEqual({ status: [0], said: '' });
});

it('npm run check -- --without takes names of checks, and refuses others', () => {
  const run = (...args: string[]) =>
    spawnSync(process.execPath, [join(root, 'scripts', 'check.mjs'), ...args], { cwd: root, encoding: 'utf8' });
  expect(run('--help').stdout).toContain('types, unit, lint, architecture, unused, format, pages');
  const refused = run('--without', 'units');
  expect(refused.status).toBe(2);
  expect(refused.stderr).toContain('there is no check units');
});
