// @ts-check
// The lint of everything that has not passed it as it is now, with the types as they are now.
//
//   node scripts/check/lint.mjs FOLDER     its cache is in FOLDER; after scripts/check/types.mjs FOLDER
import fs from 'node:fs';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { ESLint } from 'eslint';
import { digestOf, readLinted, writeLinted } from './linted.mjs';

const root = path.dirname(path.dirname(path.dirname(fileURLToPath(import.meta.url))));
const folder = path.resolve(process.argv[2] ?? '');

const eslint = new ESLint({ cwd: root });
const linted = readLinted(folder);
const passed = Object.keys(linted);
const files = passed.length === 0 ? ['.'] : (await filesBelow('')).filter((file) => linted[file] !== digestNow(file));

const results = files.length === 0 ? [] : await eslint.lintFiles(files);
for (const { filePath, messages } of results) {
  const file = path.relative(root, filePath);
  if (messages.length === 0) linted[file] = digestNow(file);
  else delete linted[file];
}
for (const file of passed) if (!fs.existsSync(path.join(root, file))) delete linted[file];
writeLinted(folder, linted);

const formatter = await eslint.loadFormatter('stylish');
process.stdout.write(await formatter.format(results));
if (results.some(({ errorCount }) => errorCount > 0)) process.exitCode = 1;

/** @param {string} file */
function digestNow(file) {
  return digestOf(path.join(root, file));
}

/**
 * What `eslint .` reads.
 *
 * @param {string} directory in the repository
 * @returns {Promise<string[]>}
 */
async function filesBelow(directory) {
  const files = [];
  for (const entry of fs.readdirSync(path.join(root, directory), { withFileTypes: true })) {
    const name = path.join(directory, entry.name);
    // ESLint answers for files: a folder is ignored when one in it would be.
    const asked = entry.isDirectory() ? path.join(name, 'any.ts') : name;
    if (entry.name === '.git' || (await eslint.isPathIgnored(path.join(root, asked)))) continue;
    if (entry.isDirectory()) files.push(...(await filesBelow(name)));
    else if (/\.(tsx?|js|mjs)$/.test(name)) files.push(name);
  }
  return files;
}
