import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { descendantsOf } from '../../scripts/embedded/processes.mjs';
import { startCli } from './cli.js';
import { type Client } from './client.js';
import { eventually } from './eventually.js';

/** `haldir connect` at work, before the server of `stdio-server.mjs` unless it is told of another. */
export interface ConnectCommand {
  readonly pid: number;
  /** What it said, and its server. */
  said(): string;
  /** What the server has seen, in lines. */
  seen(): string[];
  /** Processes below it. */
  processes(): number[];
  /** Ends it as an operator does; answers its exit code. */
  stop(): Promise<number | null>;
  kill(): Promise<void>;
}

interface ConnectOptions {
  name?: string;
  /** Before the command. */
  options?: string[];
  /** How the server of `stdio-server.mjs` is spoken to. */
  revision?: 'handshake' | 'stateless';
  /** In place of that server: what follows the options. */
  server?: string[];
  secrets?: string[];
}

const SERVER = join(import.meta.dirname, 'stdio-server.mjs');

/**
 * Resolves once it has its lease, and its upstream is listed as healthy.
 *
 * @param tenant whose upstream it becomes
 * @param url where it dials to
 */
export async function startConnectCommand(
  tenant: Client,
  url: string,
  { name = 'up', options = [], revision = 'handshake', server, secrets = [] }: ConnectOptions = {},
): Promise<ConnectCommand> {
  const { status, body } = await tenant.post<{ key: string }>('/v1/keys', { connector: { upstream: name, secrets } });
  if (status !== 201) throw new Error(`no connector key: ${status} ${JSON.stringify(body)}`);
  const dir = mkdtempSync(join(tmpdir(), 'haldir-connect-'));
  const file = join(dir, 'seen');
  const command = server ?? ['--', process.execPath, SERVER, revision, file];
  const environment = { HALDIR_URL: url, HALDIR_API_KEY: body.key };
  const { child, ended, said } = startCli(environment, 'connect', name, ...options, ...command);
  const pid = child.pid ?? 0;
  const over = async (): Promise<number | null> => {
    const { code } = await ended;
    rmSync(dir, { recursive: true, force: true });
    return code;
  };
  const connecting: ConnectCommand = {
    pid,
    said,
    seen: () => linesOf(file),
    processes: () => descendantsOf(pid),
    stop: () => {
      child.kill('SIGTERM');
      return over();
    },
    kill: async () => {
      child.kill('SIGKILL');
      await over();
    },
  };
  await eventually(async () => {
    const { body: listed } = await tenant.get<{ upstreams: Record<string, { healthy: boolean; connector?: object }> }>(
      '/v1/proxy/upstreams',
    );
    if (!said().includes('connected to') || listed.upstreams[name]?.healthy !== true)
      throw new Error(`${JSON.stringify(listed.upstreams)} ${said()}`);
  }, 60_000).catch(async (error: unknown) => {
    await connecting.kill();
    throw error;
  });
  return connecting;
}

function linesOf(file: string): string[] {
  try {
    return readFileSync(file, 'utf8').split('\n').slice(0, -1);
  } catch {
    return [];
  }
}
