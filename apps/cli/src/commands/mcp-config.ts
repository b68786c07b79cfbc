import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { type Command, UsageError } from '../command.js';
import { DEFAULT_URL, haldirUrl } from '../haldir-url.js';
import { MCP_CLIENTS } from '../mcp-clients.js';

const NAMES = [...MCP_CLIENTS.keys()];

export const mcpConfigCommand: Command = {
  help: `Usage: haldir mcp config --client NAME [--url URL] [--with-key]

Prints the configuration with which a client connects to Haldir, and nothing else: what goes into its file, or for Claude Code
the command to run. Where it goes is said on standard error.

  --client NAME  one of ${NAMES.slice(0, 4).join(', ')},
                 ${NAMES.slice(4).join(', ')}
  --url URL      where Haldir is; default HALDIR_URL, else ${DEFAULT_URL}
  --with-key     write HALDIR_API_KEY into it; without, the client takes the key from its own environment or asks for it

Environment
  HALDIR_API_KEY  the agent key; read with --with-key only

Example
  haldir mcp config --client cursor > .cursor/mcp.json
`,
  run(args, env) {
    const options = parse(args);
    const configure = MCP_CLIENTS.get(options.client);
    if (!configure) throw new UsageError(`there is no client ${options.client}; there are ${NAMES.join(', ')}`);
    const { text, hints } = configure({
      haldir: haldirUrl(options.url ?? (env['HALDIR_URL'] || DEFAULT_URL)),
      key: options['with-key'] ? keyOf(env['HALDIR_API_KEY'] ?? '') : null,
      program: [process.execPath, fileURLToPath(new URL('../main.js', import.meta.url)), 'mcp'],
    });
    process.stdout.write(text);
    process.stderr.write(hints.map((hint) => `${hint}\n`).join(''));
    return Promise.resolve(0);
  },
};

interface Options {
  client: string;
  url?: string | undefined;
  'with-key': boolean;
}

function parse(args: string[]): Options {
  let values;
  try {
    ({ values } = parseArgs({
      args,
      options: {
        client: { type: 'string', default: '' },
        url: { type: 'string' },
        'with-key': { type: 'boolean', default: false },
      },
    }));
  } catch (error) {
    throw new UsageError(error instanceof Error ? error.message : String(error));
  }
  if (values.client === '') throw new UsageError(`--client is missing: it is one of ${NAMES.join(', ')}`);
  return values;
}

/** A bearer token of RFC 6750 needs no quoting anywhere, and no client finds anything to fill in in it. */
function keyOf(text: string): string {
  if (text === '') throw new UsageError('HALDIR_API_KEY is missing: set it to the agent key, or leave out --with-key');
  if (!/^[\w.~+/-]+=*$/.test(text)) throw new UsageError('HALDIR_API_KEY is no API key');
  return text;
}
