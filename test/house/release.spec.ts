import { spawnSync } from 'node:child_process';
import { cpSync, mkdirSync, mkdtempSync, readFileSync, realpathSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

const root = join(import.meta.dirname, '..', '..');
let tree: string;

/** A repository of its own with the recipe in it, on main. */
beforeEach(() => {
  tree = realpathSync(mkdtempSync(join(tmpdir(), 'haldir-release-')));
  cpSync(join(root, 'scripts', 'release'), join(tree, 'scripts', 'release'), { recursive: true });
  cpSync(join(root, 'scripts', 'release.mjs'), join(tree, 'scripts', 'release.mjs'));
  write('package.json', '{\n  "name": "haldir",\n  "version": "0.0.9",\n  "private": true,\n  "type": "module"\n}\n');
  write(
    'package-lock.json',
    '{\n  "name": "haldir",\n  "version": "0.0.9",\n  "packages": {\n    "": {\n      "name": "haldir",\n      "version": "0.0.9"\n    },\n    "node_modules/a": {\n      "version": "0.0.9"\n    }\n  }\n}\n',
  );
  write('libs/kernel/src/version.ts', "export const VERSION = '0.0.9';\n");
  write(
    'CHANGELOG.md',
    '# Changelog\n\n## 0.1.0 (unreleased)\n\n### Run it\n\n- It runs.\n\n## 0.0.9 (2026-01-01)\n\n- It began.\n',
  );
  git('init', '-q', '-b', 'main');
  git('config', 'user.email', 'tests@example.com');
  git('config', 'user.name', 'Tests');
  git('add', '-A');
  git('commit', '-q', '-m', 'begun');
});
afterEach(() => rmSync(tree, { recursive: true }));

function write(file: string, text: string): void {
  mkdirSync(join(tree, file, '..'), { recursive: true });
  writeFileSync(join(tree, file), text);
}

const read = (file: string): string => readFileSync(join(tree, file), 'utf8');

function git(...args: string[]): string {
  const { status, stdout, stderr } = spawnSync('git', args, { cwd: tree, encoding: 'utf8' });
  if (status !== 0) throw new Error(stderr);
  return stdout.trim();
}

function release(...args: string[]): { status: number | null; stdout: string; stderr: string } {
  return spawnSync(process.execPath, [join(tree, 'scripts', 'release.mjs'), ...args], { cwd: tree, encoding: 'utf8' });
}

describe('npm run release', () => {
  it('says what it would do with --dry-run, and does nothing', () => {
    const before = git('rev-parse', 'HEAD');
    const { status, stdout } = release('0.1.0', '--dry-run', '--image', 'example/haldir');
    expect(status).toBe(0);
    expect(stdout.split('\n')).toEqual([
      'write    CHANGELOG.md',
      'write    package.json',
      'write    package-lock.json',
      'write    libs/kernel/src/version.ts',
      'run      git commit -am chore(release): 0.1.0',
      'run      git tag -a v0.1.0 --cleanup=verbatim -m "v0.1.0"…',
      'run      docker build -t example/haldir:0.1.0 -t example/haldir:latest .',
      'run      git push origin main v0.1.0',
      'run      docker push example/haldir:0.1.0',
      'run      docker push example/haldir:latest',
      'packages none: every package.json says private',
      '',
    ]);
    expect([git('status', '--porcelain'), git('rev-parse', 'HEAD'), git('tag')]).toEqual(['', before, '']);
  });

  it('gives the version its number, its day, its commit and its tag with the notes', () => {
    expect(release('0.1.0', '--no-push').stderr).toBe('');
    expect(read('CHANGELOG.md')).toMatch(/^## 0\.1\.0 \(\d{4}-\d\d-\d\d\)$/m);
    for (const file of ['package.json', 'libs/kernel/src/version.ts']) expect(read(file)).toContain('0.1.0');
    expect(read('package-lock.json').match(/0\.1\.0/g)).toHaveLength(2);
    expect(read('package-lock.json')).toContain('"version": "0.0.9"');
    expect(git('log', '-1', '--format=%s')).toBe('chore(release): 0.1.0');
    expect(git('tag', '-l', '--format=%(contents)', 'v0.1.0')).toBe('v0.1.0\n\n### Run it\n\n- It runs.');
    expect(git('status', '--porcelain')).toBe('');
  });

  it.each([
    [[], 'expected one version'],
    [['1.0'], 'expected one version'],
    [['0.2.0'], 'CHANGELOG.md has no section "## 0.2.0 (unreleased)"'],
    [['0.0.9'], 'CHANGELOG.md has no section "## 0.0.9 (unreleased)"'],
  ])('refuses %j, and says why', (args, why) => {
    const { status, stderr } = release(...args, '--no-push');
    expect([status, stderr]).toEqual([1, expect.stringContaining(why)]);
    expect(git('tag')).toBe('');
  });

  it('refuses a tree with changes, another branch, and a version that was released', () => {
    write('new.txt', 'new');
    expect(release('0.1.0', '--no-push').stderr).toContain('the work tree has changes');
    rmSync(join(tree, 'new.txt'));
    git('checkout', '-q', '-b', 'other');
    expect(release('0.1.0', '--no-push').stderr).toContain('this is other; releases are made of main');
    git('checkout', '-q', 'main');
    git('tag', 'v0.1.0');
    expect(release('0.1.0', '--no-push').stderr).toContain('v0.1.0 is there already');
  });
});
