import { cpSync, mkdtempSync, realpathSync, rmSync, symlinkSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

const root = join(import.meta.dirname, '..', '..');

/** A copy of the sources that a test may change and build; its packages are those of this repository. */
export function copyTree(): { dir: string; remove: () => void } {
  const dir = realpathSync(mkdtempSync(join(tmpdir(), 'haldir-tree-')));
  for (const name of [
    ...['apps', 'libs', 'scripts', 'package.json', 'package-lock.json'],
    ...['nest-cli.json', 'tsconfig.json', '.swcrc', '.env.example'],
  ]) {
    cpSync(join(root, name), join(dir, name), { recursive: true });
  }
  symlinkSync(realpathSync(join(root, 'node_modules')), join(dir, 'node_modules'));
  return { dir, remove: () => rmSync(dir, { recursive: true, force: true, maxRetries: 20, retryDelay: 250 }) };
}
