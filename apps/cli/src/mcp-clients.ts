/** What a client connects to. */
export interface Connection {
  /** Where Haldir is. */
  haldir: URL;
  /** Written into the configuration; null where the client is to take it from its environment, or ask for it. */
  key: string | null;
  /** What starts `haldir mcp`: a command and its arguments. */
  program: readonly [command: string, ...args: string[]];
}

export interface ClientConfig {
  /** What goes into the file, or the command to run. */
  text: string;
  /** For whoever does that: where it goes, and how the client comes by the key. */
  hints: string[];
}

const VARIABLE = 'HALDIR_API_KEY';

/** By the name that a client is asked for with. */
export const MCP_CLIENTS: ReadonlyMap<string, (connection: Connection) => ClientConfig> = new Map([
  ['claude-code', claudeCode],
  ['claude-desktop', claudeDesktop],
  ['cursor', cursor],
  ['vscode', vsCode],
  ['codex', codex],
  ['copilot-cli', copilotCli],
]);

function claudeCode(connection: Connection): ClientConfig {
  const header = `Authorization: ${bearer(connection, `\${${VARIABLE}}`)}`;
  const words = ['claude', 'mcp', 'add', '--transport', 'http', 'haldir', endpoint(connection), '--header', header];
  return {
    text: `${words.map(shellWord).join(' ')}\n`,
    hints: [
      'Run this in the project, or with --scope user for every project.',
      connection.key === null
        ? `Claude Code reads ${VARIABLE} from its environment: set it where you start claude.`
        : 'It holds the key: your shell keeps it in its history, others on the machine may see it while it runs, and Claude Code keeps it in its settings.',
    ],
  };
}

function claudeDesktop({ haldir, key, program }: Connection): ClientConfig {
  const [command, ...args] = program;
  const env = { HALDIR_URL: haldir.href.replace(/\/$/, ''), [VARIABLE]: key ?? 'the agent key goes here' };
  return {
    text: json({ mcpServers: { haldir: { command, args, env } } }),
    hints: [
      'Put this into claude_desktop_config.json (Settings > Developer > Edit Config), and start Claude Desktop again.',
      keyHint(
        { key },
        `Claude Desktop neither asks for a key nor hands on ${VARIABLE}: write it into the file, or print it there with --with-key.`,
      ),
    ],
  };
}

function cursor(connection: Connection): ClientConfig {
  const headers = { Authorization: bearer(connection, `\${env:${VARIABLE}}`) };
  return {
    text: json({ mcpServers: { haldir: { url: endpoint(connection), headers } } }),
    hints: [
      'Put this into ~/.cursor/mcp.json, or .cursor/mcp.json of a project.',
      keyHint(connection, `Cursor reads ${VARIABLE} from its environment: set it where Cursor is started.`),
    ],
  };
}

function vsCode(connection: Connection): ClientConfig {
  const input = { type: 'promptString', id: 'haldir-key', description: 'Haldir API key', password: true };
  const headers = { Authorization: bearer(connection, '${input:haldir-key}') };
  return {
    text: json({
      ...(connection.key === null ? { inputs: [input] } : {}),
      servers: { haldir: { type: 'http', url: endpoint(connection), headers } },
    }),
    hints: [
      'Put this into .vscode/mcp.json of a project, or the mcp.json that "MCP: Open User Configuration" opens.',
      keyHint(connection, 'VS Code asks for the key when it first connects, and keeps it.'),
    ],
  };
}

function codex(connection: Connection): ClientConfig {
  const key =
    connection.key === null
      ? `bearer_token_env_var = ${tomlString(VARIABLE)}`
      : `http_headers = { Authorization = ${tomlString(bearer(connection, ''))} }`;
  return {
    text: `[mcp_servers.haldir]\nurl = ${tomlString(endpoint(connection))}\n${key}\n`,
    hints: [
      'Put this into ~/.codex/config.toml, or .codex/config.toml of a project that Codex trusts.',
      keyHint(connection, `Codex reads ${VARIABLE} from its environment: set it where you start codex.`),
    ],
  };
}

function copilotCli(connection: Connection): ClientConfig {
  const headers = { Authorization: bearer(connection, `\${${VARIABLE}}`) };
  return {
    text: json({ mcpServers: { haldir: { type: 'http', url: endpoint(connection), headers, tools: ['*'] } } }),
    hints: [
      'Put this into ~/.copilot/mcp-config.json, or .mcp.json of a project.',
      keyHint(
        connection,
        `Set ${VARIABLE} where you start copilot. That Copilot CLI fills it in is untested: if it is refused, write the key into the file with --with-key.`,
      ),
    ],
  };
}

const endpoint = ({ haldir }: Connection): string => new URL('mcp', haldir).href;

/** @param otherwise what the client fills in */
const bearer = ({ key }: Connection, otherwise: string): string => `Bearer ${key ?? otherwise}`;

const keyHint = ({ key }: Pick<Connection, 'key'>, otherwise: string): string =>
  key === null ? otherwise : 'It holds the key: keep it out of version control.';

const json = (config: object): string => `${JSON.stringify(config, null, 2)}\n`;

/** Those of JSON are strings of TOML, too, as long as no DEL is in them. */
const tomlString = (text: string): string => JSON.stringify(text);

/** A word as shells of POSIX take it; PowerShell does as well, unless there is a quote in it. */
const shellWord = (text: string): string =>
  /^[\w:/.@%+=,-]+$/.test(text) ? text : `'${text.replaceAll("'", `'\\''`)}'`;
