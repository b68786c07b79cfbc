import { randomBytes } from 'node:crypto';
import { type Command, UsageError } from '../command.js';
import { AnswerQueue } from '../connect/answer-queue.js';
import { type ConnectOptions, readOptions } from '../connect/connect-options.js';
import { ConnectorApi, Refused, Unavailable } from '../connect/connector-api.js';
import { BackOff, pause } from '../connect/back-off.js';
import { Connector, type LocalServer } from '../connect/connector.js';
import { localServer } from '../connect/local-server.js';
import { secretsIn, withoutSecrets } from '../connect/vault-references.js';
import { DEFAULT_URL, haldirUrl } from '../haldir-url.js';

const EXIT_INTERRUPTED = 130;
/** npm passes signals on, terminals and service managers send two: what comes so soon is the first, told again. */
const SAME_SIGNAL_MS = 500;
/** Of a line of the server. */
const MAX_SAID_CHARS = 4_096;

export const connectCommand: Command = {
  help: `Usage: haldir connect NAME [options] -- COMMAND [ARGUMENT…]
       haldir connect NAME [options] --url URL

Makes an MCP server that runs here an upstream NAME of your tenant: one that is started by COMMAND and speaks on its standard streams,
or one that speaks Streamable HTTP at an address which only this machine reaches. This program dials out to Haldir and carries requests
to the server and answers back; nothing listens here. It goes on until it is ended, through restarts of Haldir and of the server.

For a command
  --per-session      a process of the server for each session of an agent, ended with it or after 30 idle minutes; without it, one for
                     all, who see what the others do to it
  --max-sessions N   such processes at once; default 64
  --env NAME=VALUE   of the server's environment, which is otherwise PATH, HOME, LANG and TERM alone; may be given more than once.
                     {{vault:name}} in it is the secret of that name, asked for at the start
  --sandbox          runs it in bubblewrap (bwrap, which has to be installed): all files can be read, none written, /tmp and /run are
                     empty ones of its own, and there is no network; Unix sockets elsewhere in the file system can be connected to
  --write DIR        with --sandbox: this folder can be written to; may be given more than once
  --network          with --sandbox: there is a network

For a URL
  --url URL               where the server is
  --header 'NAME: VALUE'  sent with every request; may be given more than once; {{vault:name}} as in --env

Environment
  HALDIR_API_KEY  the key of the connector, which can do nothing else; required. An operator makes it with
                  POST /v1/keys {"tier": "free", "connector": {"upstream": "NAME", "secrets": ["name"]}}
  HALDIR_URL      where Haldir is; default http://127.0.0.1:3000

Whoever holds the key can read the secrets it names, whatever command they give here. Two connectors of one name share the sessions
between them. What the server writes to its standard error is shown with NAME before it. When this program is killed, the standard input
of the server ends, and with it a server that is well behaved.

Exit codes
  0    ended by a signal, the server too
  1    Haldir refuses it, or the server does not start
  64   the command line makes no sense
  130  ended by a second signal, while it was ending

Examples
  HALDIR_API_KEY=hld_… haldir connect files -- npx -y @modelcontextprotocol/server-filesystem ~/shared
  HALDIR_API_KEY=hld_… haldir connect browser --per-session -- npx -y @playwright/mcp --headless
  HALDIR_API_KEY=hld_… haldir connect issues --url http://127.0.0.1:9000/mcp --header 'Authorization: Bearer {{vault:token}}'
`,
  async run(args, env) {
    const options = readOptions(args);
    const key = env['HALDIR_API_KEY'] ?? '';
    if (key === '') throw new UsageError('HALDIR_API_KEY is missing: set it to the key of a connector');
    const haldir = haldirUrl(env['HALDIR_URL'] || DEFAULT_URL);
    const instance = randomBytes(12).toString('hex');
    const connecting = { options, env, api: new ConnectorApi(haldir, key, options.name, instance) };
    try {
      return await connect(connecting);
    } catch (error) {
      throw error instanceof Refused ? new Error(`Haldir refuses the connector: ${error.message}`) : error;
    }
  },
};

interface Connecting {
  options: ConnectOptions;
  env: Readonly<Record<string, string | undefined>>;
  api: ConnectorApi;
}

/** Until a signal; answers the exit code. A second signal, not at once after the first, ends it, and the server, at once. */
async function connect(connecting: Connecting): Promise<number> {
  const ending = new AbortController();
  const started: { server?: LocalServer } = {};
  let endedAt = 0;
  const end = (): void => {
    if (!ending.signal.aborted) {
      endedAt = performance.now();
      ending.abort();
      return;
    }
    if (performance.now() - endedAt < SAME_SIGNAL_MS) return;
    started.server?.kill();
    process.exit(EXIT_INTERRUPTED);
  };
  for (const signal of SIGNALS) process.on(signal, end);
  try {
    await work(connecting, started, ending.signal);
  } catch (error) {
    if (!ending.signal.aborted) throw error;
  } finally {
    for (const signal of SIGNALS) process.removeListener(signal, end);
  }
  return 0;
}

/** @param started told of the server before it is started */
async function work(
  { options, env, api }: Connecting,
  started: { server?: LocalServer },
  ending: AbortSignal,
): Promise<void> {
  const { name, server: asked } = options;
  const say = (words: string): void => void process.stderr.write(`haldir connect ${name}: ${words}\n`);
  const secrets = await secretsOf(
    api,
    secretsIn(Object.values('url' in asked ? asked.headers : asked.env)),
    say,
    ending,
  );
  if (ending.aborted) return;
  const answers = new AnswerQueue();
  // A secret that is cut is not found.
  const said = (line: string): void =>
    void process.stderr.write(`${name}: ${withoutSecrets(line, secrets).slice(0, MAX_SAID_CHARS)}\n`);
  const around = { env, secrets, instance: api.instance, said, room: () => answers.room() };
  const server = await localServer(options, around);
  started.server = server;
  // It may take minutes to start, and is not waited for.
  const closed = aborted(ending).then(() => server.close());
  try {
    await Promise.race([server.prepare(), closed]);
    if (!ending.aborted) await new Connector(api, server, answers, say).run(ending);
  } finally {
    await (ending.aborted ? closed : server.close());
  }
}

async function aborted(signal: AbortSignal): Promise<void> {
  if (signal.aborted) return;
  await new Promise((resolve) => signal.addEventListener('abort', resolve, { once: true }));
}

const SIGNALS = ['SIGINT', 'SIGTERM', 'SIGHUP'] as const;

/** As they are now, once Haldir is there. @throws Refused when the key was not allowed one of them */
async function secretsOf(
  api: ConnectorApi,
  names: readonly string[],
  say: (words: string) => void,
  ending: AbortSignal,
): Promise<ReadonlyMap<string, string>> {
  const backOff = new BackOff(250, 10_000);
  for (let isSaid = false; names.length > 0 && !ending.aborted; isSaid = true) {
    try {
      return await api.secrets(names, ending);
    } catch (error) {
      if (!(error instanceof Unavailable)) throw error;
      if (!isSaid && !ending.aborted) say(`${error.message}; trying again`);
      await pause(error.retryAfterMs ?? backOff.next(), ending);
    }
  }
  return new Map();
}
