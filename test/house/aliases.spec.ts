import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';

const root = join(import.meta.dirname, '..', '..');
const read = <T>(file: string): T => JSON.parse(readFileSync(join(root, file), 'utf8')) as T;
const folders = (of: string): string[] => readdirSync(join(root, of)).sort();
type Paths = Record<string, string[]>;

describe('import aliases', () => {
  const typescript = read<{ compilerOptions: { paths: Paths } }>('tsconfig.json').compilerOptions.paths;

  it('mean the same to the type checker and to the build', () => {
    expect(read<{ jsc: { paths: Paths } }>('.swcrc').jsc.paths).toEqual(typescript);
  });

  it.each(Object.entries(typescript))('%s leads to a file', (_alias, [file]) => {
    expect(existsSync(join(root, String(file)))).toBe(true);
  });

  it('there is one for every lib', () => {
    const reached = Object.values(typescript).flatMap(([file]) => /^\.\/libs\/([^/]+)\//.exec(String(file))?.[1] ?? []);
    expect([...new Set(reached)].sort()).toEqual(folders('libs'));
  });
});

describe('nest-cli.json', () => {
  interface Project {
    type: 'application' | 'library';
    root: string;
    sourceRoot: string;
    entryFile: string;
  }
  const { projects } = read<{ projects: Record<string, Project> }>('nest-cli.json');

  it('has every app and every lib, and nothing else', () => {
    const named = (type: Project['type']): string[] =>
      Object.keys(projects)
        .filter((name) => projects[name]?.type === type)
        .sort();
    // The console is built for browsers, by vite.
    expect(named('application')).toEqual(folders('apps').filter((name) => name !== 'console'));
    expect(named('library')).toEqual(folders('libs'));
  });

  it.each(Object.entries(projects))('%s begins in a file that is there', (name, project) => {
    expect(project.root).toBe(`${project.type === 'library' ? 'libs' : 'apps'}/${name}`);
    expect(project.sourceRoot).toBe(`${project.root}/src`);
    expect(existsSync(join(root, project.sourceRoot, `${project.entryFile}.ts`))).toBe(true);
  });
});
