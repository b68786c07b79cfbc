import { parseArgs } from 'node:util';
import { SystemClock } from '@haldir/kernel';
import { type Command, UsageError } from '../command.js';
import { answeredWith, DEFAULT_URL, haldirUrl } from '../haldir-url.js';
import { linesOf } from '../lines.js';
import { McpBridge } from '../mcp-bridge.js';

/** For which it is waited for a session, or for its end. */
const MAX_MS = 30_000;

export const mcpCommand: Command = {
  help: `Usage: haldir mcp [--url URL] [--agent NAME [--scopes LIST] [--ttl SECONDS]]

An MCP server on standard input and output, for programs that start their servers themselves. It passes everything on to
the /mcp of a running Haldir, so that the same key, session and policies apply. With an agent key nothing else is needed.

  --url URL      where Haldir is; default HALDIR_URL, else ${DEFAULT_URL}
  --agent NAME   open a session for this agent, another when that has expired, and revoke it at the end
  --scopes LIST  of that session, separated by commas; default read,execute
  --ttl SECONDS  after which that session expires; default 86400

Environment
  HALDIR_API_KEY     the API key, of the agent; required
  HALDIR_SESSION_ID  the session to act in; without it and --agent an agent key goes on with its own, and an operator's key acts as
                     the operator

Example
  HALDIR_API_KEY=hld_… haldir mcp

haldir mcp config --client NAME prints what a client needs to connect, also without this program.
`,
  async run(args, env) {
    const options = parse(args);
    const key = env['HALDIR_API_KEY'] ?? '';
    if (key === '') throw new UsageError('HALDIR_API_KEY is missing: set it to an API key');
    const haldir = haldirUrl(options.url ?? (env['HALDIR_URL'] || DEFAULT_URL));
    const authorization = { authorization: `Bearer ${key}` };
    let opened = options.agent === undefined ? null : await openSession(haldir, authorization, options);
    const clock = new SystemClock();
    let openedAt = clock.now();
    const reopen = async (): Promise<string | null> => {
      // One that somebody has ended before its time stays ended.
      if (clock.now().getTime() - openedAt.getTime() < (Number(options.ttl) - 1) * 1000) return null;
      openedAt = clock.now();
      return (opened = await openSession(haldir, authorization, options));
    };
    const session = opened ?? env['HALDIR_SESSION_ID'] ?? null;
    const bridge = new McpBridge(new URL('mcp', haldir), authorization, (line) => process.stdout.write(`${line}\n`), {
      session,
      ...(opened === null ? {} : { reopen }),
    });
    try {
      await serve(bridge);
    } finally {
      if (opened !== null) await revokeSession(haldir, authorization, opened);
    }
    return 0;
  },
};

interface Options {
  url?: string | undefined;
  agent?: string | undefined;
  scopes: string;
  ttl: string;
}

function parse(args: string[]): Options {
  try {
    const { values } = parseArgs({
      args,
      options: {
        url: { type: 'string' },
        agent: { type: 'string' },
        scopes: { type: 'string', default: 'read,execute' },
        ttl: { type: 'string', default: '86400' },
      },
    });
    return values;
  } catch (error) {
    throw new UsageError(error instanceof Error ? error.message : String(error));
  }
}

/** Until the client closes its end, and what it asked before is answered; at once on a signal. */
async function serve(bridge: McpBridge): Promise<void> {
  const underWay = new Set<Promise<void>>();
  const ending = new AbortController();
  const end = (): void => {
    ending.abort();
    bridge.close();
  };
  for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, end);
  try {
    for await (const line of linesOf(process.stdin, ending.signal)) {
      if (line.trim() === '') continue;
      const passing = bridge.pass(line).finally(() => underWay.delete(passing));
      underWay.add(passing);
    }
    bridge.leave();
    await Promise.all(underWay);
  } finally {
    // Whoever cannot be read any more is not waited for.
    bridge.close();
  }
}

async function openSession(haldir: URL, headers: Record<string, string>, options: Options): Promise<string> {
  const response = await reach(new URL('v1/sessions', haldir), {
    method: 'POST',
    headers: { ...headers, 'content-type': 'application/json' },
    body: JSON.stringify({
      agent_id: options.agent,
      scopes: options.scopes.split(',').map((scope) => scope.trim()),
      ttl: Number(options.ttl),
    }),
  });
  const said: unknown = await response.json().catch(() => null);
  const { session_id: id, error } = (said ?? {}) as { session_id?: string; error?: string };
  if (id === undefined) throw new Error(`no session was opened: ${error ?? answeredWith(response.status)}`);
  return id;
}

async function revokeSession(haldir: URL, headers: Record<string, string>, id: string): Promise<void> {
  // It expires by itself where this comes too late.
  await reach(new URL(`v1/sessions/${id}`, haldir), { method: 'DELETE', headers }).catch(() => undefined);
}

async function reach(url: URL, init: RequestInit): Promise<Response> {
  try {
    return await fetch(url, { ...init, redirect: 'manual', signal: AbortSignal.timeout(MAX_MS) });
  } catch {
    throw new Error(`Haldir cannot be reached at ${url.origin}; is it started?`);
  }
}
