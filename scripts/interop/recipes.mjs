// @ts-check
// The recipes of docs/agents, as they stand there: what is run is what people copy.
import fs from 'node:fs';
import path from 'node:path';

/** @typedef {{ file: string, title: string, code: string }} Recipe `title`: of the page it stands in */

/** @param {string} tool */
const asListed = (tool) => `demo__${tool}`;

/** Files of the recipes that `npm run interop` runs, each with how its framework names the tools of `demo`. @type {Map<string, (tool: string) => string>} */
export const RECIPES = new Map([
  ['haldir-ai-sdk.mjs', asListed],
  ['haldir-langchain.mjs', asListed],
  ['haldir-mastra.mjs', (tool) => `haldir_${asListed(tool)}`],
  ['haldir-openai-agents.mjs', asListed],
  ['haldir-client.mjs', asListed],
  ['haldir-client-1.mjs', asListed],
  ['haldir_crewai.py', (tool) => `demo_${tool.replaceAll('-', '_')}`],
  ['haldir_langchain.py', asListed],
  ['haldir_client.py', asListed],
  ['haldir_client_1.py', asListed],
  ['haldir_openai_agents.py', asListed],
]);

/** @param {string} file of a recipe in Python @returns {string} the file of test/interop/recipes with what it is run with */
export function requirementsOf(file) {
  if (file === 'haldir_crewai.py') return 'requirements-crewai.txt';
  return file === 'haldir_client.py' ? 'requirements-mcp.txt' : 'requirements.txt';
}

/**
 * @param {string} root of the repository
 * @returns {string[]} every page of docs/agents, by name
 */
export function readPages(root) {
  const dir = path.join(root, 'docs', 'agents');
  const pages = fs.readdirSync(dir).filter((name) => name.endsWith('.md'));
  return pages.sort().map((name) => fs.readFileSync(path.join(dir, name), 'utf8'));
}

/**
 * Every fenced block of JavaScript or Python, named by the comment that is its first line.
 *
 * @param {readonly string[]} pages
 * @returns {Recipe[]}
 * @throws for a block without such a comment
 */
export function readRecipes(pages) {
  return pages.flatMap((page) => {
    const title = /^# (.*)/.exec(page)?.[1] ?? '';
    return [...page.matchAll(/^```(?:js|mjs|javascript|ts|typescript|py|python)\n(.*?)^```$/gms)].map(
      ([, code = '']) => {
        const file = /^(?:\/\/|#) (\S+\.(?:mjs|py))\n/.exec(code)?.[1];
        if (file === undefined) throw new Error(`a recipe of "${title}" does not begin with the name of its file`);
        return { file, title, code };
      },
    );
  });
}

/**
 * What the pages have people install.
 *
 * @param {readonly string[]} pages
 * @returns {{ npm: Record<string, string>, pip: Record<string, string> }} version by package; '' for one that is not pinned
 */
export function readInstalls(pages) {
  /** @param {RegExp} command @param {RegExp} versioned */
  const read = (command, versioned) =>
    Object.fromEntries(
      [...pages.join('\n').matchAll(command)].flatMap(([, packages = '']) =>
        packages
          .trim()
          .split(/\s+/)
          .map((name) => {
            const [, bare = name, version = ''] = versioned.exec(name) ?? [];
            return [bare, version];
          }),
      ),
    );
  return {
    npm: read(/`npm install ([^`]+)`/g, /^(@?[^@]+)@(.+)$/),
    pip: read(/`pip install ([^`]+)`/g, /^([^=]+)==(.+)$/),
  };
}
