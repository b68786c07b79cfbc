// @ts-check
// Answers whether what is installed and built matches the sources, so that a second start does neither.
import crypto from 'node:crypto';
import fs from 'node:fs';
import path from 'node:path';

/** The folders that dist/ is made of. */
const SOURCES = ['apps', 'libs'];

/**
 * True when node_modules holds exactly what package-lock.json asks for, as far as npm's own record of it tells.
 *
 * @param {string} root the repository
 */
export function isInstallCurrent(root) {
  const wanted = readPackages(path.join(root, 'package-lock.json'));
  const installed = readPackages(path.join(root, 'node_modules', '.package-lock.json'));
  if (!wanted || !installed) return false;
  return Object.entries(wanted).every(([name, entry]) => {
    if (name === '') return true;
    const present = installed[name];
    if (!present) return entry.optional === true || entry.devOptional === true || entry.peer === true;
    return present.version === entry.version;
  });
}

/**
 * True when dist/ was built from exactly the present sources, and nothing else (`nest build`) has written into it since.
 *
 * @param {string} root the repository
 */
export function isBuildCurrent(root) {
  try {
    return fs.readFileSync(stampFile(root), 'utf8') === digestOfSources(root) && !hasNewerThanStamp(root);
  } catch {
    return false;
  }
}

/** @param {string} root */
function hasNewerThanStamp(root) {
  const { mtimeMs: stamped } = fs.statSync(stampFile(root));
  const dist = path.join(root, 'dist');
  return fs
    .readdirSync(dist, { recursive: true, encoding: 'utf8' })
    .some((entry) => fs.statSync(path.join(dist, entry)).mtimeMs > stamped);
}

/**
 * Notes in dist/ which sources it was built from.
 *
 * @param {string} root the repository
 * @param {string} digest of the sources as they were before the build read them
 */
export function recordBuild(root, digest) {
  fs.writeFileSync(stampFile(root), digest);
}

/**
 * Whether a file of apps/ or libs/ is shipped as it is, beside the compiled ones: the API's contract, and what pages are made
 * of. nest-cli.json says the same to the compiler.
 *
 * @param {string} file
 */
export function isAsset(file) {
  const name = path.basename(file);
  return !/\.(ts|md)$/.test(name) && !name.startsWith('.') && name !== 'tsconfig.json';
}

/** @param {string} root */
const stampFile = (root) => path.join(root, 'dist', '.sources');

/**
 * A digest of every file that decides what dist/ holds.
 *
 * @param {string} root the repository
 */
export function digestOfSources(root) {
  const hash = crypto.createHash('sha256');
  const files = ['.swcrc', 'nest-cli.json', 'package-lock.json'];
  for (const folder of SOURCES) {
    for (const entry of fs.readdirSync(path.join(root, folder), { recursive: true, withFileTypes: true })) {
      const { name } = entry;
      if (!entry.isFile() || (name.endsWith('.ts') ? name.endsWith('spec.ts') : !isAsset(name))) continue;
      files.push(path.relative(root, path.join(entry.parentPath, name)));
    }
  }
  for (const file of files.sort())
    hash
      .update(file)
      .update('\0')
      .update(fs.readFileSync(path.join(root, file)))
      .update('\0');
  return hash.digest('hex');
}

/**
 * @param {string} file
 * @returns {Record<string, { version?: string, optional?: boolean, devOptional?: boolean, peer?: boolean }> | null}
 */
function readPackages(file) {
  try {
    return JSON.parse(fs.readFileSync(file, 'utf8')).packages ?? null;
  } catch {
    return null;
  }
}
