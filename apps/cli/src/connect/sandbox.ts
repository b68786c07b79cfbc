import { accessSync, constants, lstatSync } from 'node:fs';
import { delimiter, isAbsolute, join, resolve } from 'node:path';
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

/**
 * The command within bubblewrap: all files are there to be read, none can be written but those in `write`, and /tmp and /run are empty ones
 * of its own; there is no network unless it is allowed, and it ends with the connector. Sockets elsewhere in the file system can be
 * connected to.
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
      ...[...NEEDED, ...(network ? RESOLVERS : [])].flatMap((place) => ['--ro-bind-try', place, place]),
      ...folders.flatMap((folder) => ['--bind', folder, folder]),
      ...['--unshare-all', ...(network ? ['--share-net'] : []), '--die-with-parent', '--new-session'],
      ...['--', program, ...args],
    ],
    env,
  };
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
