// @ts-check
// `npm run release -- 0.1.0`: gives a version its day in the changelog, its number in the sources, a commit and a tag, and
// builds and pushes what is published: the image, and every npm package of the repository that is not private.
import { spawnSync } from 'node:child_process';
import fs from 'node:fs';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { releasedChangelog, versioned, versionOf } from './release/notes.mjs';

const HELP = `Usage: npm run release -- VERSION [options]

Releases what is on main: the section "VERSION (unreleased)" of CHANGELOG.md gets today's date, package.json, package-lock.json
and libs/kernel/src/version.ts the version; commit, tag vVERSION with the section as its text, push, image, npm packages.

  --dry-run        say what would be done, and change nothing
  --image NAME     the image's name; without it no image is built
  --no-push        stop before anything leaves this machine
  --help           this text`;

const root = path.dirname(path.dirname(fileURLToPath(import.meta.url)));
const VERSIONED = ['package.json', 'package-lock.json', 'libs/kernel/src/version.ts'];

try {
  main();
} catch (error) {
  console.error(`release: ${error instanceof Error ? error.message : String(error)}`);
  process.exitCode = 1;
}

function main() {
  const { values, positionals } = parseArgs({
    allowPositionals: true,
    options: {
      'dry-run': { type: 'boolean', default: false },
      image: { type: 'string' },
      'no-push': { type: 'boolean', default: false },
      help: { type: 'boolean', default: false },
    },
  });
  if (values.help) return console.log(HELP);
  const [version, ...others] = positionals;
  if (version === undefined || others.length > 0 || versionOf(version) === null)
    throw new Error('expected one version, for example: npm run release -- 0.1.0 --dry-run');
  const dry = values['dry-run'];
  const tag = `v${version}`;
  const tree = said('git', 'status', '--porcelain');
  if (tree !== '' && !dry) throw new Error('the work tree has changes; commit or remove them first');
  const branch = said('git', 'rev-parse', '--abbrev-ref', 'HEAD');
  if (branch !== 'main' && !dry) throw new Error(`this is ${branch}; releases are made of main`);
  if (said('git', 'tag', '--list', tag) !== '') throw new Error(`${tag} is there already`);

  const day = new Date().toISOString().slice(0, 10);
  const { changelog, notes } = releasedChangelog(read('CHANGELOG.md'), version, day);
  const texts = [
    { file: 'CHANGELOG.md', text: changelog },
    ...VERSIONED.map((file) => ({ file, text: versioned(file, read(file), version) })),
  ].filter(({ file, text }) => text !== read(file));

  for (const { file, text } of texts) {
    console.log(`write    ${file}`);
    if (!dry) fs.writeFileSync(path.join(root, file), text);
  }
  const act = (/** @type {string} */ command, /** @type {string[]} */ ...args) => run(dry, command, args);
  act('git', 'commit', '-am', `chore(release): ${version}`);
  act('git', 'tag', '-a', tag, '--cleanup=verbatim', '-m', `${tag}\n\n${notes}`);
  const { image } = values;
  if (image !== undefined) act('docker', 'build', '-t', `${image}:${version}`, '-t', `${image}:latest`, '.');
  if (values['no-push']) return;
  act('git', 'push', 'origin', 'main', tag);
  if (image !== undefined) for (const name of [version, 'latest']) act('docker', 'push', `${image}:${name}`);
  const packages = published();
  if (packages.length === 0) console.log('packages none: every package.json says private');
  for (const folder of packages) act('npm', 'publish', folder);
}

/** @returns {string[]} folders of packages that are for npm's registry */
function published() {
  return said('git', 'ls-files', '--', 'package.json', '*/package.json')
    .split('\n')
    .filter((file) => !file.startsWith('test/') && JSON.parse(read(file)).private !== true)
    .map((file) => path.dirname(file));
}

/** @param {string} file */
function read(file) {
  return fs.readFileSync(path.join(root, file), 'utf8');
}

/**
 * @param {string} command
 * @param {...string} args
 */
function said(command, ...args) {
  const { status, stdout, stderr } = spawnSync(command, args, { cwd: root, encoding: 'utf8' });
  if (status !== 0) throw new Error(`${command} ${args.join(' ')}: ${stderr.trim()}`);
  return stdout.trim();
}

/**
 * @param {boolean} dry
 * @param {string} command
 * @param {string[]} args
 */
function run(dry, command, args) {
  const shown = args.map((arg) => (arg.includes('\n') ? `${JSON.stringify(arg.split('\n')[0])}…` : arg));
  console.log(`run      ${[command, ...shown].join(' ')}`);
  if (dry) return;
  const { status, error } = spawnSync(command, args, { cwd: root, stdio: 'inherit' });
  if (error) throw error;
  if (status !== 0) throw new Error(`${command} ended with ${status}; what was done before stands`);
}
