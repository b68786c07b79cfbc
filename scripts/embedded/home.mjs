// @ts-check
// HALDIR_HOME: the directory of an embedded installation. Everything it keeps is below it, readable by its owner only.
import crypto from 'node:crypto';
import fs from 'node:fs';
import path from 'node:path';
import { isRunning } from './processes.mjs';

/** A state of this machine that the operator can change; the message is one line that says how. */
export class OperatorError extends Error {}

/**
 * @typedef {object} Home
 * @property {string} dir absolute path
 * @property {string} logs absolute path of the folder of logs
 */

/**
 * Makes the directory where it is missing, with mode 0700.
 *
 * @param {string} location relative to the working directory, or absolute
 * @returns {Home}
 * @throws OperatorError when it cannot be made or written
 */
export function openHome(location) {
  const dir = path.resolve(location);
  const logs = path.join(dir, 'logs');
  try {
    fs.mkdirSync(logs, { recursive: true, mode: 0o700 });
    fs.chmodSync(dir, 0o700);
    fs.accessSync(dir, fs.constants.W_OK);
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    throw new OperatorError(
      `HALDIR_HOME is not writable (${reason}); set another, for example HALDIR_HOME=$HOME/.haldir`,
    );
  }
  return { dir: fs.realpathSync(dir), logs: fs.realpathSync(logs) };
}

/**
 * The password of the embedded database, made on first use.
 *
 * @param {Home} home
 * @returns {{ postgresPassword: string }}
 */
export function openSecrets(home) {
  const file = path.join(home.dir, 'secrets.json');
  if (!fs.existsSync(file)) {
    refuseIfDatabaseExists(home, 'secrets.json', 'restore it from your backup');
    writePrivate(file, JSON.stringify({ postgresPassword: crypto.randomBytes(24).toString('base64url') }) + '\n');
  }
  return JSON.parse(fs.readFileSync(file, 'utf8'));
}

/**
 * The root keys of this installation, one made on first use: whoever loses the file loses every secret sealed under it.
 *
 * @param {Home} home
 * @returns {{ rootKeys: string, file: string, created: boolean }} `rootKeys` as HALDIR_ROOT_KEYS takes them
 */
export function openRootKeys(home) {
  const file = path.join(home.dir, 'root-keys');
  const created = !fs.existsSync(file);
  if (created) {
    refuseIfDatabaseExists(home, 'root-keys', 'restore it from your backup, set HALDIR_ROOT_KEYS');
    writePrivate(file, `1:${crypto.randomBytes(32).toString('base64url')}\n`);
  }
  return { rootKeys: fs.readFileSync(file, 'utf8').trim(), file, created };
}

/**
 * What opens a new tenant at this installation (`bootstrap_token` of POST /v1/keys), made on first use.
 *
 * @param {Home} home
 * @returns {{ token: string, file: string }}
 */
export function openBootstrapToken(home) {
  const file = bootstrapTokenFile(home.dir);
  if (!fs.existsSync(file)) writePrivate(file, `${crypto.randomBytes(32).toString('base64url')}\n`);
  return { token: fs.readFileSync(file, 'utf8').trim(), file };
}

/** @param {string} dir */
export const bootstrapTokenFile = (dir) => path.join(dir, 'bootstrap-token');

/**
 * A new key or password would lock the operator out of the data there is.
 *
 * @param {Home} home
 * @param {string} name
 * @param {string} remedy
 */
function refuseIfDatabaseExists(home, name, remedy) {
  if (!fs.existsSync(path.join(home.dir, 'postgres'))) return;
  throw new OperatorError(
    `${path.join(home.dir, name)} is missing, but its database exists: ${remedy}, or move ${home.dir} away to start anew`,
  );
}

/**
 * Claims the home for this process. A claim left by a process that died is taken over.
 *
 * @param {Home} home
 * @param {string} part what the command line of a living holder contains
 * @returns {{ holder: Record<string, unknown> & { pid: number } } | { dead: Record<string, unknown> | null, update: (facts: object) => void, release: () => void }}
 *   the living holder and what it said about itself; or, when the claim is ours, what a dead holder had said, how to say
 *   more ourselves, and how to give it back
 */
export function claimHome(home, part) {
  const file = path.join(home.dir, 'launcher.json');
  const draft = `${file}.${process.pid}`;
  const mine = { pid: process.pid };
  /** @type {Record<string, unknown> | null} */
  let dead = null;
  writePrivate(draft, JSON.stringify(mine));
  try {
    for (;;) {
      try {
        fs.linkSync(draft, file); // fails when it exists: of two starts at once, one wins
        break;
      } catch (error) {
        if (!(error instanceof Error) || !('code' in error) || error.code !== 'EEXIST') throw error;
      }
      const holder = readJson(file);
      if (holder && holder.pid !== process.pid && isRunning(holder.pid, part)) return { holder };
      dead = holder;
      bury(file, holder?.pid);
    }
  } finally {
    fs.rmSync(draft, { force: true });
  }
  return {
    dead,
    update: (facts) => writePrivate(file, JSON.stringify({ ...mine, ...facts })),
    release: () => {
      if (readJson(file)?.pid === process.pid) fs.rmSync(file, { force: true });
    },
  };
}

/**
 * Takes the claim of a dead process away. Moves it first, so that the claim another start has just made is put back.
 *
 * @param {string} file
 * @param {number | undefined} deadPid undefined when the claim could not be read
 */
function bury(file, deadPid) {
  const grave = `${file}.dead-${process.pid}`;
  try {
    fs.renameSync(file, grave);
    if (readJson(grave)?.pid !== deadPid) fs.linkSync(grave, file);
  } catch {
    // Another start was faster; the next round sees what it did.
  }
  fs.rmSync(grave, { force: true });
}

/**
 * @param {string} file
 * @returns {(Record<string, unknown> & { pid: number }) | null}
 */
function readJson(file) {
  try {
    return JSON.parse(fs.readFileSync(file, 'utf8'));
  } catch {
    return null;
  }
}

/**
 * Writes a file that only its owner may read; it appears whole or not at all.
 *
 * @param {string} file
 * @param {string} text
 */
function writePrivate(file, text) {
  const draft = `${file}.draft-${process.pid}`;
  fs.writeFileSync(draft, text, { mode: 0o600 });
  fs.renameSync(draft, file);
}
