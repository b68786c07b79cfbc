// @ts-check
// A root directory of its own for a program, as a container has one: the machine's system folders under it, read-only, a
// few files of /etc, and whatever was copied in. Nothing of it is seen outside; it ends with the program.
import { spawn } from 'node:child_process';
import fs from 'node:fs';
import path from 'node:path';

/** Of the machine, read-only: what an image of Debian with Node brings. */
const SYSTEM = ['/usr', '/bin', '/sbin', '/lib', '/lib64', '/lib32', '/etc/ssl', '/etc/resolv.conf', '/etc/hosts'];
const USERS = 'root:x:0:0:root:/root:/bin/sh\nnode:x:1000:1000::/home/node:/bin/sh\n';
const GROUPS = 'root:x:0:\nnode:x:1000:\n';

/**
 * @typedef {object} Program
 * @property {string[]} command
 * @property {string} workdir
 * @property {Record<string, string>} env all of it
 * @property {'root' | 'node'} user
 * @property {string[]} [capabilities] that root keeps; all of them when not said
 * @property {boolean} [readOnly] the whole tree, but for /tmp and `volumes` that are not
 * @property {{ from: string, to: string, readOnly: boolean }[]} [volumes]
 */

/**
 * Makes an empty one below `dir`.
 *
 * @param {string} dir
 */
export function makeBox(dir) {
  for (const folder of ['etc', 'proc', 'dev', 'tmp', 'root', 'run', 'var/lib', 'home/node']) {
    fs.mkdirSync(path.join(dir, folder), { recursive: true });
  }
  fs.chmodSync(path.join(dir, 'tmp'), 0o1777);
  fs.writeFileSync(path.join(dir, 'etc', 'passwd'), USERS);
  fs.writeFileSync(path.join(dir, 'etc', 'group'), GROUPS);
  for (const place of mounts()) makeMountPoint(dir, place, place);
}

/**
 * @param {string} dir
 * @param {string} from
 * @param {string} to
 */
function makeMountPoint(dir, from, to) {
  const target = path.join(dir, to);
  if (fs.existsSync(target)) return;
  fs.mkdirSync(fs.statSync(from).isDirectory() ? target : path.dirname(target), { recursive: true });
  if (!fs.statSync(from).isDirectory()) fs.writeFileSync(target, '');
}

/** Folders of the machine that the box shows, Node's own among them wherever it is installed. */
function mounts() {
  const node = path.dirname(path.dirname(fs.realpathSync(process.execPath)));
  return [...SYSTEM, ...(node.startsWith('/usr') ? [] : [node])].filter((place) => fs.existsSync(place));
}

/**
 * Starts a program in it. The process that comes back is the program itself: a signal reaches it.
 *
 * @param {string} dir
 * @param {Program} program
 * @param {import('node:child_process').StdioOptions} stdio
 */
export function spawnIn(dir, { command, workdir, env, user, capabilities, readOnly = false, volumes = [] }, stdio) {
  const quote = (/** @type {string} */ text) => `'${text.replaceAll("'", `'\\''`)}'`;
  const bind = (/** @type {string} */ from, /** @type {string} */ to, /** @type {boolean} */ sealed) => [
    `mount --rbind ${quote(from)} ${quote(path.join(dir, to))}`,
    ...(sealed ? [`mount -o remount,bind,ro ${quote(path.join(dir, to))}`] : []),
  ];
  for (const { from, to } of volumes) makeMountPoint(dir, from, to);
  const script = [
    'set -e',
    ...bind(dir, '', readOnly),
    ...mounts().flatMap((place) => bind(place, place, true)),
    ...bind('/dev', 'dev', false),
    `mount -t proc proc ${quote(path.join(dir, 'proc'))} 2>/dev/null || mount --rbind /proc ${quote(path.join(dir, 'proc'))}`,
    ...(readOnly ? [`mount -t tmpfs -o mode=1777 tmpfs ${quote(path.join(dir, 'tmp'))}`] : []),
    ...volumes.flatMap(({ from, to, readOnly: sealed }) => bind(from, to, sealed)),
    `cd ${quote(dir)}`,
    'exec "$@"',
  ].join('\n');
  const kept = (capabilities ?? []).map((name) => `,+${name.toLowerCase()}`).join('');
  const drop =
    user === 'node' || capabilities !== undefined
      ? [`--bounding-set=-all${kept}`, `--inh-caps=-all${kept}`, '--no-new-privs']
      : [];
  const as = user === 'node' ? ['--reuid=1000', '--regid=1000', '--clear-groups'] : [];
  const inside = ['sh', '-c', 'cd "$0" && exec "$@"', workdir, ...command];
  return spawn(
    'unshare',
    [
      '--mount',
      '--propagation',
      'private',
      'sh',
      '-c',
      script,
      'sh',
      'chroot',
      '.',
      'setpriv',
      ...as,
      ...drop,
      ...inside,
    ],
    { env: { PATH: process.env.PATH, ...env }, stdio },
  );
}
