// @ts-check
// The recipes of docs/recipes.md, as they stand there: what is run is what people copy.

/** @typedef {{ file: string, title: string, code: string }} Recipe `title`: of the section it stands in */

/** Files of the recipes that `npm run interop` runs, each with the name under which its framework has `demo.echo`. */
export const RECIPES = new Map([
  ['haldir-ai-sdk.mjs', 'demo__echo'],
  ['haldir-langchain.mjs', 'demo__echo'],
  ['haldir-openai-agents.mjs', 'demo__echo'],
  ['haldir-mastra.mjs', 'haldir_demo__echo'],
  ['haldir_langchain.py', 'demo__echo'],
]);

/**
 * Every fenced block of JavaScript or Python, named by the comment that is its first line.
 *
 * @param {string} document
 * @returns {Recipe[]}
 * @throws for a block without such a comment
 */
export function readRecipes(document) {
  return document.split(/^## /m).flatMap((section) => {
    const title = section.split('\n', 1)[0] ?? '';
    return [...section.matchAll(/^```(?:js|mjs|javascript|ts|typescript|py|python)\n(.*?)^```$/gms)].map(
      ([, code = '']) => {
        const file = /^(?:\/\/|#) (\S+\.(?:mjs|py))\n/.exec(code)?.[1];
        if (file === undefined) throw new Error(`a recipe under "${title}" does not begin with the name of its file`);
        return { file, title, code };
      },
    );
  });
}

/**
 * What the document has people install.
 *
 * @param {string} document
 * @returns {{ npm: Record<string, string>, pip: Record<string, string> }} version by package; '' for one that is not pinned
 */
export function readInstalls(document) {
  /** @param {RegExp} command @param {RegExp} versioned */
  const read = (command, versioned) =>
    Object.fromEntries(
      [...document.matchAll(command)].flatMap(([, packages = '']) =>
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
