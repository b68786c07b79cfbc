import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { haldirUrl } from '../../apps/cli/src/haldir-url.js';
import { MCP_CLIENTS } from '../../apps/cli/src/mcp-clients.js';
import { readInstalls, readPages, readRecipes, RECIPES, requirementsOf } from '../../scripts/interop/recipes.mjs';

const root = join(import.meta.dirname, '..', '..');
const read = (file: string): string => readFileSync(join(root, file), 'utf8');
const pages = readPages(root);
const files = readRecipes(pages).map(({ file }) => file);

it('every recipe of the pages is one that the interop run knows, and the other way round', () => {
  expect(files.sort()).toEqual([...RECIPES.keys()].sort());
});

it('a recipe that nobody knows, or that has no name, would be noticed', () => {
  const added = [...pages, "# Another\n\n```js\n// another.mjs\nawait fetch('x');\n```\n"];
  expect(readRecipes(added).map(({ file }) => file)).toContain('another.mjs');
  expect([...RECIPES.keys()]).not.toContain('another.mjs');
  expect(() => readRecipes(['# One\n\n```js\nawait fetch(1);\n```\n'])).toThrow('"One"');
});

it('a recipe needs HALDIR_URL and HALDIR_API_KEY of its environment and nothing else, and says where the model goes', () => {
  for (const { file, code } of readRecipes(pages)) {
    const variables = [...code.matchAll(/process\.env\.(\w+)|os\.environ\['(\w+)'\]/g)].map(([, js, py]) => js ?? py);
    expect({ file, variables: variables.sort() }).toEqual({ file, variables: ['HALDIR_API_KEY', 'HALDIR_URL'] });
    expect(code).toContain('The model goes here: ');
  }
});

it('what the pages have people install is what is tested, version by version', () => {
  const { dependencies } = JSON.parse(read('test/interop/recipes/package.json')) as {
    dependencies: Record<string, string>;
  };
  const { packages } = JSON.parse(read('test/interop/recipes/package-lock.json')) as {
    packages: Record<string, { version?: string; dependencies?: Record<string, string> }>;
  };
  const { node: _node, ...clients } = dependencies;
  expect(readInstalls(pages).npm).toEqual(clients);
  expect(packages['']?.dependencies).toEqual(dependencies);
  const { pip } = readInstalls(pages);
  expect(Object.keys(pip).sort()).toEqual(['crewai-tools[mcp]', 'langchain-mcp-adapters', 'mcp', 'openai-agents']);
  // A section of a page has one recipe, below what it has people install.
  for (const section of pages.flatMap((page) => page.split(/^## /m))) {
    const files = [...section.matchAll(/^# (\S+\.py)$/gm)].map(([, file = '']) => file);
    const pins = files.flatMap((file) => read(`test/interop/recipes/${requirementsOf(file)}`).split('\n'));
    const needed = [...section.matchAll(/`pip install ([^`]+)`/g)].map(([, what = '']) => what);
    expect({ files, needed, missing: needed.filter((pin) => !pins.includes(pin)) }).toEqual({
      files,
      needed: files.map(() => expect.stringContaining('==')),
      missing: [],
    });
  }
});

it('the interop run is there, and the frameworks are no packages of Haldir', () => {
  const { scripts, dependencies, devDependencies } = JSON.parse(read('package.json')) as Record<
    'scripts' | 'dependencies' | 'devDependencies',
    Record<string, string>
  >;
  expect(existsSync(join(root, scripts.interop?.replace('node ', '') ?? ''))).toBe(true);
  const own = Object.keys({ ...dependencies, ...devDependencies });
  const official = ['@modelcontextprotocol/client', '@modelcontextprotocol/sdk', 'zod'];
  const { npm } = readInstalls(pages);
  expect(Object.keys(npm).filter((name) => !official.includes(name) && own.includes(name))).toEqual([]);
  for (const file of ['README.md', 'CONTRIBUTING.md', 'docs/agents/README.md'])
    expect(read(file)).toContain('npm run interop');
});

it.each([...MCP_CLIENTS])('the page for %s shows what is printed for it', (name, configure) => {
  const { text } = configure({
    haldir: haldirUrl('http://127.0.0.1:3000'),
    key: null,
    program: ['node', '/path/to/haldir/dist/apps/cli/src/main.js', 'mcp'],
  });
  const page = pages.find((each) => each.includes(`mcp config --client ${name}\n`)) ?? '';
  const squeezed = (shown: string): string => shown.replace(/\s+/g, ' ').replace(/ ?([[\]{}]) ?/g, '$1');
  const blocks = [...page.matchAll(/^```\w+\n(.*?)^```$/gms)].map(([, block = '']) => squeezed(block));
  expect(blocks).toContain(squeezed(text));
});

it('every page is found from the table of contents, and from there every link leads somewhere', () => {
  const dir = join(root, 'docs', 'agents');
  const names = readdirSync(dir);
  const contents = read('docs/agents/README.md');
  expect(names.filter((name) => name !== 'README.md' && !contents.includes(`](${name})`))).toEqual([]);
  const dead = names.flatMap((name) =>
    [...read(`docs/agents/${name}`).matchAll(/\]\(([^)#]+)[^)]*\)/g)]
      .map(([, link = '']) => link)
      .filter((link) => !link.startsWith('http') && !existsSync(join(dir, link)))
      .map((link) => `${name}: ${link}`),
  );
  expect(dead).toEqual([]);
});
