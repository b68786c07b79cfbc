// @ts-check
import fs from 'node:fs';
import path from 'node:path';

/** @typedef {{ word: string, rest: string }} Instruction */
/** @typedef {{ name: string, base: string, instructions: Instruction[] }} Stage */

const KNOWN = ['ARG', 'FROM', 'WORKDIR', 'COPY', 'RUN', 'ENV', 'LABEL', 'USER', 'EXPOSE', 'HEALTHCHECK', 'CMD'];

/**
 * The stages of a Dockerfile, with `ARG`s of its head filled into `FROM`.
 *
 * @param {string} file
 * @returns {Stage[]}
 * @throws for an instruction that is not known here
 */
export function readDockerfile(file) {
  const text = fs
    .readFileSync(file, 'utf8')
    .replace(/^\s*#.*\n/gm, '')
    .replace(/\\\n/g, ' ');
  /** @type {Stage[]} */
  const stages = [];
  /** @type {Record<string, string>} */
  const args = {};
  for (const line of text.split('\n')) {
    const [, word = '', rest = ''] = /^(\w+)\s+(.*?)\s*$/.exec(line) ?? [];
    if (word === '') continue;
    if (!KNOWN.includes(word)) throw new Error(`the walk knows no ${word} of a Dockerfile`);
    if (word === 'ARG') {
      const [name = '', fallback = ''] = rest.split('=');
      args[name] = fallback;
    } else if (word === 'FROM') {
      const [base = '', , name = String(stages.length)] = rest.split(/\s+/);
      stages.push({ name, base: base.replace(/\$\{(\w+)\}/g, (_, arg) => args[arg] ?? ''), instructions: [] });
    } else {
      stages.at(-1)?.instructions.push({ word, rest });
    }
  }
  return stages;
}

/**
 * The words of an instruction: `["a", "b"]`, or split at spaces with quotes taken off.
 *
 * @param {string} rest
 * @returns {string[]}
 */
export function words(rest) {
  if (rest.startsWith('[')) return JSON.parse(rest);
  return (rest.match(/(?:"[^"]*"|[^\s"])+/g) ?? []).map((word) => word.replaceAll('"', ''));
}

/**
 * Whether a file of the repository is sent to the build: the last line of .dockerignore that names it or a folder above
 * it decides.
 *
 * @param {string} root
 * @returns {(file: string) => boolean} of a path relative to `root`
 */
export function buildContext(root) {
  const rules = fs
    .readFileSync(path.join(root, '.dockerignore'), 'utf8')
    .split('\n')
    .filter((line) => line !== '' && !line.startsWith('#'))
    .map((line) => ({ sent: line.startsWith('!'), pattern: pattern(line.replace(/^!/, '')) }));
  return (file) => rules.filter((rule) => rule.pattern.test(file)).at(-1)?.sent ?? true;
}

/** @param {string} glob */
function pattern(glob) {
  const source = glob
    .replace(/[.+^${}()|[\]\\]/g, '\\$&')
    .replace(/\*\*\/|\*/g, (stars) => (stars === '*' ? '[^/]*' : '(?:.*/)?'));
  return new RegExp(`^${source}(?:/.*)?$`);
}
