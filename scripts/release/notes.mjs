// @ts-check
// What a release does to texts: the changelog's heading, the version in package.json, the lockfile and libs/kernel.

/** @typedef {{ major: number, minor: number, patch: number }} Version */

/**
 * @param {string} text
 * @returns {Version | null} null for what is no plain version, such as 1.2.3
 */
export function versionOf(text) {
  const [, major, minor, patch] = /^(0|[1-9]\d*)\.(0|[1-9]\d*)\.(0|[1-9]\d*)$/.exec(text) ?? [];
  return patch === undefined ? null : { major: Number(major), minor: Number(minor), patch: Number(patch) };
}

/**
 * The section of a version that is about to be released, and the changelog in which it has its day. A version without a
 * section of its own, or one that is empty or was released, is a mistake.
 *
 * @param {string} changelog
 * @param {string} version
 * @param {string} day YYYY-MM-DD
 * @returns {{ changelog: string, notes: string }} `notes` without the heading
 * @throws Error that says what to write
 */
export function releasedChangelog(changelog, version, day) {
  const heading = `## ${version} (unreleased)`;
  const at = changelog.indexOf(`\n${heading}\n`);
  if (at === -1) throw new Error(`CHANGELOG.md has no section "${heading}"`);
  const from = at + heading.length + 2;
  const next = changelog.indexOf('\n## ', from);
  const notes = changelog.slice(from, next === -1 ? undefined : next).trim();
  if (!/^- /m.test(notes)) throw new Error(`the section "${heading}" of CHANGELOG.md says nothing`);
  return { changelog: changelog.replace(heading, `## ${version} (${day})`), notes };
}

/**
 * @param {string} file
 * @param {string} text of the file
 * @param {string} version
 * @returns {string} the file with that version
 * @throws Error when it has no place for one
 */
export function versioned(file, text, version) {
  const [pattern, replacement] = file.endsWith('.ts')
    ? [/(VERSION = ')[^']+(')/, `$1${version}$2`]
    : [/("version": ")[^"]+(")/, `$1${version}$2`];
  if (!pattern.test(text)) throw new Error(`${file} has no version`);
  const once = text.replace(pattern, replacement);
  // A lockfile names its own package twice.
  if (!file.endsWith('package-lock.json')) return once;
  return once.replace(/("": \{\s*"name": "haldir",\s*"version": ")[^"]+(")/, `$1${version}$2`);
}
