// What editors and version managers read, held against what there is.
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';

const root = join(import.meta.dirname, '..', '..');
const read = (file: string): string => readFileSync(join(root, file), 'utf8');
const { engines, scripts } = JSON.parse(read('package.json')) as {
  engines: { node: string };
  scripts: Record<string, string>;
};

describe('.vscode/launch.json', () => {
  interface Configuration {
    name: string;
    type: string;
    request: string;
    program?: string;
    preLaunchTask?: string;
    runtimeArgs?: string[];
    sourceMaps: boolean;
    outFiles: string[];
  }
  const { configurations, compounds } = JSON.parse(read('.vscode/launch.json')) as {
    configurations: Configuration[];
    compounds: { name: string; configurations: string[] }[];
  };

  it.each(configurations)('$name: reads source maps, and names what exists', (one) => {
    expect(one).toMatchObject({ type: 'node', sourceMaps: true });
    expect(['attach', 'launch']).toContain(one.request);
    if (one.request === 'attach') return;
    const [, built = ''] = /^\$\{workspaceFolder\}\/dist\/(.*)\.js$/.exec(String(one.program)) ?? [];
    expect(existsSync(join(root, `${built}.ts`)), one.program).toBe(true);
    expect(one.runtimeArgs).toContain('--enable-source-maps');
    expect(Object.keys(scripts)).toContain(one.preLaunchTask?.replace('npm: ', ''));
  });

  it('launches and attaches to both apps', () => {
    const names = configurations.map(({ name }) => name);
    for (const app of ['API', 'worker']) expect(names.filter((name) => name.includes(`the ${app}`))).toHaveLength(2);
    for (const compound of compounds) {
      expect(compound.configurations.filter((name) => !names.includes(name))).toEqual([]);
    }
  });
});

it('.nvmrc names a version that package.json allows, the one of the image', () => {
  const version = read('.nvmrc').trim();
  expect(version).toMatch(/^\d+$/);
  const allowed = engines.node.split('||').map((range) => /^(\^|>=)(\d+)\./.exec(range.trim())?.slice(1) ?? []);
  const allows = ([operator, major]: string[]): boolean =>
    operator === '>=' ? Number(version) >= Number(major) : version === major;
  expect(allowed.filter(allows)).not.toEqual([]);
  expect(read('Dockerfile')).toContain(`node:${version}-`);
});

it('.editorconfig asks for what prettier writes', () => {
  const { printWidth } = JSON.parse(read('.prettierrc.json')) as { printWidth: number };
  for (const line of [
    `max_line_length = ${printWidth}`,
    'end_of_line = lf',
    'indent_style = space',
    'indent_size = 2',
  ]) {
    expect(read('.editorconfig')).toContain(`${line}\n`);
  }
});

it('every script that starts an app has stacks name the lines of its sources', () => {
  const starting = Object.values(scripts).filter((script) => script.includes('/main.js'));
  expect(starting.length).toBeGreaterThan(2);
  expect(starting.filter((script) => !script.startsWith('node --enable-source-maps '))).toEqual([]);
});
