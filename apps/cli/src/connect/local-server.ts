import { UsageError } from '../command.js';
import { type CommandOptions, type ConnectOptions } from './connect-options.js';
import { type LocalServer } from './connector.js';
import { findBubblewrap, findProgram, sandboxed } from './sandbox.js';
import { type ServerCommand } from './server-process.js';
import { SessionServers } from './session-servers.js';
import { SharedServer } from './shared-server.js';
import { filled } from './vault-references.js';

const IDLE_MS = 30 * 60_000;

/** Of this process's environment, what a server is given beside what `--env` says; on Windows nothing starts without the rest. */
const HANDED_ON = ['PATH', 'HOME', 'LANG', 'TERM'];
const HANDED_ON_WINDOWS = ['SYSTEMROOT', 'SYSTEMDRIVE', 'TEMP', 'APPDATA', 'LOCALAPPDATA', 'USERPROFILE', 'PATHEXT'];

type Environment = Readonly<Record<string, string | undefined>>;

export interface Surroundings {
  /** Of this process. */
  env: Environment;
  /** Of secrets, by name. */
  secrets: ReadonlyMap<string, string>;
  instance: string;
  /** Told what a server says on its standard error, and what becomes of it. */
  said: (line: string) => void;
  room: () => Promise<void> | null;
}

/** What a connector carries requests to; nothing is started yet. @throws UsageError for a program that is not there */
export async function localServer({ server }: ConnectOptions, around: Surroundings): Promise<LocalServer> {
  const { env, secrets, instance, said, room } = around;
  const fill = (pairs: Readonly<Record<string, string>>): Record<string, string> =>
    Object.fromEntries(Object.entries(pairs).map(([name, value]) => [name, filled(value, secrets)]));
  if ('url' in server) {
    const { UrlServer } = await import('./url-server.js');
    return new UrlServer(server.url, fill(server.headers), instance, said);
  }
  const command = commandFor(server, { ...handedOn(env), ...fill(server.env) }, env['PATH'] ?? '');
  if (!server.perSession) return new SharedServer(command, instance, said, room);
  return new SessionServers(command, instance, said, { maxSessions: server.maxSessions, idleMs: IDLE_MS }, room);
}

function commandFor(
  { program, args, sandbox }: CommandOptions,
  env: Readonly<Record<string, string>>,
  path: string,
): ServerCommand {
  if (process.platform !== 'win32' && findProgram(program, path) === null)
    throw new UsageError(`${program} is not there, or no program`);
  const command = { program, args, env };
  return sandbox ? sandboxed(findBubblewrap(path), command, sandbox) : command;
}

function handedOn(env: Environment): Record<string, string> {
  const names = process.platform === 'win32' ? [...HANDED_ON, ...HANDED_ON_WINDOWS] : HANDED_ON;
  return Object.fromEntries(names.flatMap((name) => (env[name] === undefined ? [] : [[name, env[name]]])));
}
