// @ts-check
import { spawn, spawnSync } from 'node:child_process';
import fs from 'node:fs';
import path from 'node:path';

/** @typedef {import('node:child_process').SpawnOptions & { input?: string }} RunOptions `input`: what it reads */
/** @typedef {{ code: number | null, stdout: string, stderr: string }} Outcome `code` is null when it could not run */

/**
 * Runs a program to its end and answers how it went; a program that does not exist is an outcome too, not an exception.
 *
 * @param {string} command
 * @param {string[]} args
 * @param {RunOptions} [options]
 * @returns {Promise<Outcome>}
 */
export function run(command, args, { input, ...options } = {}) {
  return new Promise((resolve) => {
    let stdout = '';
    let stderr = '';
    const child = spawn(command, args, {
      stdio: [input === undefined ? 'ignore' : 'pipe', 'pipe', 'pipe'],
      ...options,
    });
    child.stdin?.on('error', () => undefined);
    child.stdin?.end(input);
    child.stdout?.setEncoding('utf8').on('data', (text) => (stdout += text));
    child.stderr?.setEncoding('utf8').on('data', (text) => (stderr += text));
    child.on('error', (error) => resolve({ code: null, stdout, stderr: error.message }));
    child.on('close', (code) => resolve({ code, stdout, stderr }));
  });
}

/**
 * Where a program of that name stands on the PATH, first the one that would be run.
 *
 * @param {string} name
 * @returns {string[]}
 */
export function onPath(name) {
  const folders = (process.env.PATH ?? '').split(path.delimiter).filter(Boolean);
  return folders.map((folder) => path.join(folder, name)).filter((program) => fs.existsSync(program));
}

/**
 * True when process `pid` lives and its command line holds every part; so a recycled process id is not mistaken for
 * the process that once had it. A zombie does not live.
 *
 * @param {number} pid
 * @param {...string} parts
 */
export function isRunning(pid, ...parts) {
  if (!Number.isInteger(pid) || pid <= 0) return false;
  const commandLine = commandLineOf(pid);
  return commandLine !== null && commandLine !== '' && parts.every((part) => commandLine.includes(part));
}

/**
 * @param {number} pid
 * @returns {string | null} null when there is no such process
 */
function commandLineOf(pid) {
  if (process.platform === 'linux') {
    try {
      return fs.readFileSync(`/proc/${pid}/cmdline`, 'utf8').replaceAll('\0', ' ');
    } catch {
      return null;
    }
  }
  const { status, stdout } =
    process.platform === 'win32'
      ? spawnSync('wmic', ['process', 'where', `processid=${pid}`, 'get', 'commandline'], { encoding: 'utf8' })
      : spawnSync('ps', ['-ww', '-p', String(pid), '-o', 'command='], { encoding: 'utf8' });
  return status === 0 ? stdout.trim() : null;
}

/**
 * @param {number} pid
 * @returns {number} 0 when there is no such process, or the system does not tell
 */
export function parentOf(pid) {
  if (process.platform === 'linux') {
    try {
      // The name in brackets may hold anything; what follows it are the state and the parent.
      return Number(
        fs
          .readFileSync(`/proc/${pid}/stat`, 'utf8')
          .replace(/^.*\) /s, '')
          .split(' ')[1],
      );
    } catch {
      return 0;
    }
  }
  return Number(spawnSync('ps', ['-p', String(pid), '-o', 'ppid='], { encoding: 'utf8' }).stdout) || 0;
}

/**
 * The children of a process, theirs, and so on; empty where the system does not tell.
 *
 * @param {number} pid
 * @returns {number[]}
 */
export function descendantsOf(pid) {
  const parents = parentsOfAll();
  const found = [pid];
  for (const one of found) for (const [child, parent] of parents) if (parent === one) found.push(child);
  return found.slice(1);
}

/** @returns {[pid: number, parent: number][]} */
function parentsOfAll() {
  if (process.platform === 'linux') {
    return fs
      .readdirSync('/proc')
      .flatMap((name) => (/^\d+$/.test(name) ? [[Number(name), parentOf(Number(name))]] : []));
  }
  const { stdout } = spawnSync('ps', ['-A', '-o', 'pid=,ppid='], { encoding: 'utf8' });
  return [...(stdout ?? '').matchAll(/(\d+) +(\d+)/g)].map(([, pid, parent]) => [Number(pid), Number(parent)]);
}

/**
 * Sockets that a process listens on, by their inodes. Linux tells, in /proc (proc(5), "/proc/net/tcp").
 *
 * @param {number} pid
 * @returns {string[]} empty where it has none
 * @throws when there is no such process
 */
export function listeningSocketsOf(pid) {
  const rows = ['tcp', 'tcp6'].flatMap((name) =>
    fs.readFileSync(`/proc/${pid}/net/${name}`, 'utf8').trim().split('\n').slice(1),
  );
  const fields = rows.map((row) => row.trim().split(/\s+/));
  // 0A is LISTEN.
  const listening = new Set(fields.flatMap((row) => (row[3] === '0A' ? [row[9] ?? ''] : [])));
  return fs.readdirSync(`/proc/${pid}/fd`).flatMap((fd) => {
    try {
      const [, inode = ''] = /^socket:\[(\d+)\]$/.exec(fs.readlinkSync(`/proc/${pid}/fd/${fd}`)) ?? [];
      return listening.has(inode) ? [inode] : [];
    } catch {
      return []; // closed meanwhile
    }
  });
}

/**
 * Process ids that work in `dir` or below it; empty where the system does not tell.
 *
 * @param {string} dir
 * @returns {number[]}
 */
export function processesIn(dir) {
  if (process.platform !== 'linux') return [];
  return fs.readdirSync('/proc').flatMap((name) => {
    if (!/^\d+$/.test(name)) return [];
    try {
      return `${fs.readlinkSync(`/proc/${name}/cwd`)}/`.startsWith(`${dir}/`) ? [Number(name)] : [];
    } catch {
      return [];
    }
  });
}

/**
 * Asks a process to end and waits until it has; kills it when it takes longer than `graceMs`.
 *
 * @param {number} pid
 * @param {number} graceMs
 * @param {...string} parts as of {@link isRunning}
 */
export async function stopProcess(pid, graceMs, ...parts) {
  const deadline = performance.now() + graceMs;
  signal(pid, 'SIGTERM');
  while (isRunning(pid, ...parts)) {
    if (performance.now() > deadline) signal(pid, 'SIGKILL');
    await pause(20);
  }
}

/**
 * @param {number} pid
 * @param {NodeJS.Signals} name
 */
function signal(pid, name) {
  if (pid <= 0) return; // zero would mean our own process group
  try {
    process.kill(pid, name);
  } catch {
    // It ended by itself.
  }
}

/** @param {number} ms */
export function pause(ms) {
  return new Promise((resolve) => setTimeout(resolve, ms));
}
