import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';

const root = join(import.meta.dirname, '..');
const read = <T>(file: string): T => JSON.parse(readFileSync(join(root, file), 'utf8')) as T;
type Paths = Record<string, string[]>;

describe('import aliases', () => {
  const typescript = read<{ compilerOptions: { paths: Paths } }>('tsconfig.json').compilerOptions.paths;

  it('mean the same to the type checker and to the build', () => {
    expect(read<{ jsc: { paths: Paths } }>('.swcrc').jsc.paths).toEqual(typescript);
  });

  it.each(Object.entries(typescript))('%s leads to a file', (_alias, [file]) => {
    expect(existsSync(join(root, String(file)))).toBe(true);
  });
});
