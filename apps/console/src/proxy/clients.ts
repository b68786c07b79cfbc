const VARIABLE = 'HALDIR_API_KEY';

/** A client that people use, and what it is given so that it connects to Haldir. */
export interface ClientSetup {
  title: string;
  /** What goes into its file, or the command to run; as `haldir mcp config --client NAME` prints it. */
  text: string;
  where: string;
}

/**
 * By the name that `haldir mcp config` takes. None has a key in it: each client has a way of its own to come by it.
 *
 * @param haldir the address of Haldir, without a slash at its end
 */
export function setups(haldir: string): Record<string, ClientSetup> {
  const url = `${haldir}/mcp`;
  const bearer = (filledIn: string): { Authorization: string } => ({ Authorization: `Bearer ${filledIn}` });
  const input = { type: 'promptString', id: 'haldir-key', description: 'Haldir API key', password: true };
  return {
    'claude-code': {
      title: 'Claude Code',
      text: `claude mcp add --transport http haldir ${url} --header 'Authorization: Bearer \${${VARIABLE}}'\n`,
      where: `Run it in the project. Claude Code reads ${VARIABLE} from its environment.`,
    },
    'claude-desktop': {
      title: 'Claude Desktop',
      text: json({
        mcpServers: {
          haldir: {
            command: 'haldir',
            args: ['mcp'],
            env: { HALDIR_URL: haldir, [VARIABLE]: 'the agent key goes here' },
          },
        },
      }),
      where:
        'Put it into claude_desktop_config.json (Settings, Developer, Edit Config), with the path of haldir on that machine and the key, and start Claude Desktop again.',
    },
    cursor: {
      title: 'Cursor',
      text: json({ mcpServers: { haldir: { url, headers: bearer(`\${env:${VARIABLE}}`) } } }),
      where: `Put it into ~/.cursor/mcp.json, or .cursor/mcp.json of a project. Cursor reads ${VARIABLE} from its environment.`,
    },
    vscode: {
      title: 'VS Code',
      text: json({
        inputs: [input],
        servers: { haldir: { type: 'http', url, headers: bearer('${input:haldir-key}') } },
      }),
      where: 'Put it into .vscode/mcp.json of a project. VS Code asks for the key when it first connects.',
    },
    codex: {
      title: 'Codex',
      text: `[mcp_servers.haldir]\nurl = ${JSON.stringify(url)}\nbearer_token_env_var = "${VARIABLE}"\n`,
      where: `Put it into ~/.codex/config.toml. Codex reads ${VARIABLE} from its environment.`,
    },
    'copilot-cli': {
      title: 'Copilot CLI',
      text: json({
        mcpServers: { haldir: { type: 'http', url, headers: bearer(`\${${VARIABLE}}`), tools: ['*'] } },
      }),
      where: `Put it into ~/.copilot/mcp-config.json, or .mcp.json of a project. Set ${VARIABLE} where you start copilot.`,
    },
  };
}

const json = (config: object): string => `${JSON.stringify(config, null, 2)}\n`;
