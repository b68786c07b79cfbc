import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { readInstalls, readRecipes, RECIPES } from '../../scripts/interop/recipes.mjs';

const root = join(import.meta.dirname, '..', '..');
const read = (file: string): string => readFileSync(join(root, file), 'utf8');
const document = read('docs/recipes.md');

it('every recipe of the document is one that the interop run knows, and the other way round', () => {
  expect(readRecipes(document).map(({ file }) => file)).toEqual([...RECIPES.keys()]);
});

it('a recipe that nobody knows, or that has no name, would be noticed', () => {
  const added = `${document}\n## Another\n\n\`\`\`js\n// another.mjs\nawait fetch('x');\n\`\`\`\n`;
  expect(readRecipes(added).map(({ file }) => file)).not.toEqual([...RECIPES.keys()]);
  expect(() => readRecipes('## One\n\n```js\nawait fetch(1);\n```\n')).toThrow('"One"');
});

it('a recipe needs HALDIR_URL and HALDIR_API_KEY of its environment and nothing else, and says where the model goes', () => {
  for (const { file, code } of readRecipes(document)) {
    const variables = [...code.matchAll(/process\.env\.(\w+)|os\.environ\['(\w+)'\]/g)].map(([, js, py]) => js ?? py);
    expect({ file, variables: variables.sort() }).toEqual({ file, variables: ['HALDIR_API_KEY', 'HALDIR_URL'] });
    expect(code).toContain('The model goes here: ');
  }
});

it('what the document has people install is what is tested, version by version', () => {
  const { dependencies } = JSON.parse(read('test/interop/recipes/package.json')) as {
    dependencies: Record<string, string>;
  };
  const { packages } = JSON.parse(read('test/interop/recipes/package-lock.json')) as {
    packages: Record<string, { version?: string; dependencies?: Record<string, string> }>;
  };
  const { node: _node, ...frameworks } = dependencies;
  const { npm, pip } = readInstalls(document);
  expect(npm).toEqual(frameworks);
  expect(packages['']?.dependencies).toEqual(dependencies);
  const requirements = read('test/interop/recipes/requirements.txt').split('\n');
  expect(Object.entries(pip).map(([name, version]) => `${name}==${version}`)).toEqual([
    'langchain-mcp-adapters==0.3.2',
  ]);
  for (const [name, version] of Object.entries(pip)) expect(requirements).toContain(`${name}==${version}`);
});

it('the interop run is there, and the frameworks are no packages of Haldir', () => {
  const { scripts, dependencies, devDependencies } = JSON.parse(read('package.json')) as Record<
    'scripts' | 'dependencies' | 'devDependencies',
    Record<string, string>
  >;
  expect(existsSync(join(root, scripts.interop?.replace('node ', '') ?? ''))).toBe(true);
  const own = Object.keys({ ...dependencies, ...devDependencies });
  const { npm } = readInstalls(document);
  expect(Object.keys(npm).filter((name) => name !== 'zod' && own.includes(name))).toEqual([]);
  for (const file of ['README.md', 'CONTRIBUTING.md', 'docs/recipes.md'])
    expect(read(file)).toContain('npm run interop');
});
