// @ts-check
// PostgreSQL refuses to run as root, and initdb refuses a user id without a name. Both are common in containers.
import { spawnSync } from 'node:child_process';
import fs from 'node:fs';
import os from 'node:os';
import { OperatorError } from './home.mjs';

/**
 * @typedef {object} Identity
 * @property {string[]} prefix what to put in front of a command so that it runs as someone PostgreSQL accepts
 * @property {(path: string) => void} own gives a file or folder to that someone, where it is not theirs already
 */

const USERNS = ['unshare', '--user', '--map-user=65534', '--map-group=65534', '--'];

/**
 * Finds out as whom `program` can run and write below `dir`, trying the least intrusive way first: as we are; in a user
 * namespace, where the process is nobody to itself and still us to the file system; and, for root where namespaces are
 * refused, as another user who keeps the right to enter our directories. No user is created.
 *
 * @param {string} program
 * @param {string} dir
 * @returns {Promise<Identity>}
 * @throws OperatorError when none works
 */
export async function identityFor(program, dir) {
  const uid = process.getuid?.();
  if (uid === undefined || (uid !== 0 && hasName())) return { prefix: [], own: () => undefined };

  /** @param {string[]} prefix @param {string} place */
  const works = ([command = '', ...args], place) =>
    spawnSync(command, [...args, 'sh', '-c', '"$0" --version && test -w "$1"', program, place], { stdio: 'ignore' })
      .status === 0;
  const gid = process.getgid?.() ?? 0;
  if (works(USERNS, dir)) return { prefix: USERNS, own: (path) => giveTo(path, uid, gid) };

  if (uid === 0) {
    const [otherUid, otherGid] = idsOf('postgres') ?? idsOf('nobody') ?? [65534, 65534];
    const setpriv = [
      ...['setpriv', `--reuid=${otherUid}`, `--regid=${otherGid}`, '--clear-groups'],
      ...['--inh-caps=+dac_override', '--ambient-caps=+dac_override', '--securebits=+no_setuid_fixup', '--'],
    ];
    if (works(setpriv, dir)) return { prefix: setpriv, own: (path) => giveTo(path, otherUid, otherGid) };
    throw new OperatorError(
      'PostgreSQL refuses to run as root, and neither unshare nor setpriv works here; run as an ordinary user or set DATABASE_URL',
    );
  }
  throw new OperatorError(
    `user id ${uid} has no name on this machine and user namespaces are refused; add it to /etc/passwd or set DATABASE_URL`,
  );
}

function hasName() {
  try {
    return os.userInfo().username !== '';
  } catch {
    return false;
  }
}

/**
 * @param {string} user
 * @returns {[uid: number, gid: number] | null} null when there is no such user
 */
function idsOf(user) {
  const uid = spawnSync('id', ['-u', user], { encoding: 'utf8' });
  const gid = spawnSync('id', ['-g', user], { encoding: 'utf8' });
  return uid.status === 0 && gid.status === 0 ? [Number(uid.stdout), Number(gid.stdout)] : null;
}

/**
 * @param {string} path
 * @param {number} uid
 * @param {number} gid
 */
function giveTo(path, uid, gid) {
  if (fs.statSync(path).uid === uid) return;
  spawnSync('chown', ['-R', `${uid}:${gid}`, path]);
}
