import { accessSync, constants, lstatSync, realpathSync } from 'node:fs';
import { delimiter, dirname, isAbsolute, join, resolve } from 'node:path';
import { UsageError } from '../command.js';
import { type ServerCommand } from './server-process.js';

export interface SandboxOptions {
  /** Folders that may be written to. */
  write: readonly string[];
  network: boolean;
}

/** A program as the shell finds it; null when there is none of that name. */
export function findProgram(name: string, path: string): string | null {
  const places = name.includes('/') ? [resolve(name)] : path.split(delimiter).map((folder) => join(folder, name));
  for (const place of places) {
    if (!isAbsolute(place)) continue;
    try {
      accessSync(place, constants.X_OK);
      return place;
    } catch {
      continue;
    }
  }
  return null;
}

/** Sockets of services are in it (Docker, D-Bus, SSH agents): that a file system is read-only keeps nobody from connecting to them. */
const RUNTIME_FOLDERS = ['/run', '/var/run'];
/** Where programs are (NixOS). */
const NEEDED = ['/run/current-system'];
/** What names are resolved with. */
const RESOLVERS = ['/run/systemd/resolve', '/run/NetworkManager/resolv.conf', '/run/resolvconf/resolv.conf'];
const RESOLVER = '/etc/resolv.conf';

/**
 * The command within bubblewrap: all files are there to be read, none can be written but those in `write`, and /tmp and /run are empty ones
 * of its own, but for programs on the PATH and files of the resolver; there is no network unless it is allowed, and it ends with the
 * connector. Sockets elsewhere in the file system can be connected to.
 *
 * @param bwrap where bubblewrap is
 */
export function sandboxed(
  bwrap: string,
  { program, args, env }: ServerCommand,
  { write, network }: SandboxOptions,
): ServerCommand {
  const folders = write.map((folder) => resolve(folder));
  return {
    program: bwrap,
    args: [
      ...['--ro-bind', '/', '/', '--dev', '/dev', '--proc', '/proc', '--tmpfs', '/tmp'],
      ...RUNTIME_FOLDERS.filter(isFolder).flatMap((folder) => ['--tmpfs', folder]),
      ...neededIn(program, env['PATH'] ?? '', network),
      ...folders.flatMap((folder) => ['--bind', folder, folder]),
      ...['--unshare-all', ...(network ? ['--share-net'] : []), '--die-with-parent', '--new-session'],
      ...['--', program, ...args],
    ],
    env,
  };
}

/** What of /run is there after all. */
function neededIn(program: string, path: string, network: boolean): string[] {
  const fixed = [...NEEDED, ...(network ? RESOLVERS : [])];
  const found = findProgram(program, path);
  const folders = [...path.split(delimiter), ...(found === null ? [] : [dirname(found)])].filter(isAbsolute);
  const places = [...folders.map((folder) => inRun(resolve(folder))), ...(network ? [realOf(RESOLVER)] : [])]
    .filter((place) => place !== null)
    .filter(mayBeShown)
    .sort();
  // Nothing is put into what is there as a whole.
  const shown = places.reduce<string[]>(
    (kept, place) => (kept.some((each) => `${place}/`.startsWith(`${each}/`)) ? kept : [...kept, place]),
    fixed,
  );
  return shown.flatMap((place) => {
    if (fixed.includes(place)) return ['--ro-bind-try', place, place];
    const real = realOf(place);
    if (real === null) return [];
    // A link out of /run (fnm) leads to what can be read anyway, with what stands beside it.
    if (!isInRun(real)) return ['--symlink', real, place];
    return mayBeShown(real) ? ['--ro-bind-try', real, place] : [];
  });
}

/** By the name of /run, whose other name is mostly a link to it. */
function inRun(folder: string): string {
  return isFolder('/var/run') ? folder : folder.replace(/^\/var\/run(?=\/|$)/, '/run');
}

function isInRun(place: string): boolean {
  return RUNTIME_FOLDERS.some((folder) => place.startsWith(`${folder}/`));
}

/** In a folder of /run, and none that sockets of services are in. */
function mayBeShown(place: string): boolean {
  return isInRun(place) && !/^\/(?:var\/)?run\/user(?:\/[^/]+)?$/.test(place);
}

function realOf(place: string): string | null {
  try {
    return realpathSync(place);
  } catch {
    return null;
  }
}

/** And no link to one. */
function isFolder(path: string): boolean {
  return lstatSync(path, { throwIfNoEntry: false })?.isDirectory() ?? false;
}

/** Where bubblewrap is. @throws UsageError when it is not installed: nothing runs without it that was to run in it */
export function findBubblewrap(path: string): string {
  const found = findProgram('bwrap', path);
  if (found === null)
    throw new UsageError(
      '--sandbox needs bubblewrap (bwrap), which is not on the PATH; on Debian: apt install bubblewrap',
    );
  return found;
}
