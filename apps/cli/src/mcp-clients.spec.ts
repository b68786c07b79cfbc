import { parse as parseToml } from 'smol-toml';
import { haldirUrl } from './haldir-url.js';
import { type Connection, MCP_CLIENTS } from './mcp-clients.js';

const KEY = 'hld_A1b2C3d4E5f6G7h8I9j0K1l2M3n4O5p6Q7r8S9t0u1v42GkB5';
const connection = (over: Partial<Connection> = {}): Connection => ({
  haldir: haldirUrl('https://haldir.example.com/base'),
  key: null,
  program: ['/usr/bin/node', '/opt/haldir/main.js', 'mcp'],
  ...over,
});
const URL_OF_MCP = 'https://haldir.example.com/base/mcp';

/** The words of a command line as a shell of POSIX has them. */
const words = (line: string): string[] =>
  [...line.trim().matchAll(/(?:'[^']*'|\\.|[^\s'\\])+/g)].map(([word]) =>
    word.replace(/'([^']*)'|\\(.)/g, (_, quoted?: string, escaped?: string) => quoted ?? escaped ?? ''),
  );

/** What each client reads: the server of its configuration, and what stands beside it. */
const READ: Record<string, (text: string) => unknown> = {
  'claude-code': words,
  'claude-desktop': JSON.parse,
  cursor: JSON.parse,
  vscode: JSON.parse,
  codex: parseToml,
  'copilot-cli': JSON.parse,
};

/** @param authorization what the client sends, or how it comes by that */
const EXPECTED: Record<string, (authorization: string | null) => unknown> = {
  'claude-code': (authorization) => [
    ...['claude', 'mcp', 'add', '--transport', 'http', 'haldir', URL_OF_MCP, '--header'],
    `Authorization: ${authorization ?? 'Bearer ${HALDIR_API_KEY}'}`,
  ],
  'claude-desktop': (authorization) => ({
    mcpServers: {
      haldir: {
        command: '/usr/bin/node',
        args: ['/opt/haldir/main.js', 'mcp'],
        env: {
          HALDIR_URL: 'https://haldir.example.com/base',
          HALDIR_API_KEY: authorization?.replace('Bearer ', '') ?? 'the agent key goes here',
        },
      },
    },
  }),
  cursor: (authorization) => ({
    mcpServers: {
      haldir: { url: URL_OF_MCP, headers: { Authorization: authorization ?? 'Bearer ${env:HALDIR_API_KEY}' } },
    },
  }),
  vscode: (authorization) => ({
    ...(authorization === null
      ? { inputs: [{ type: 'promptString', id: 'haldir-key', description: 'Haldir API key', password: true }] }
      : {}),
    servers: {
      haldir: {
        type: 'http',
        url: URL_OF_MCP,
        headers: { Authorization: authorization ?? 'Bearer ${input:haldir-key}' },
      },
    },
  }),
  codex: (authorization) => ({
    mcp_servers: {
      haldir: {
        url: URL_OF_MCP,
        ...(authorization === null
          ? { bearer_token_env_var: 'HALDIR_API_KEY' }
          : { http_headers: { Authorization: authorization } }),
      },
    },
  }),
  'copilot-cli': (authorization) => ({
    mcpServers: {
      haldir: {
        type: 'http',
        url: URL_OF_MCP,
        headers: { Authorization: authorization ?? 'Bearer ${HALDIR_API_KEY}' },
        tools: ['*'],
      },
    },
  }),
};

it('there are six clients', () => {
  expect([...MCP_CLIENTS.keys()]).toEqual(Object.keys(EXPECTED));
});

describe.each([...MCP_CLIENTS])('the configuration of %s', (client, configure) => {
  it('is read as what it should be, and leaves the key to the client', () => {
    const { text, hints } = configure(connection());
    expect(READ[client]?.(text)).toEqual(EXPECTED[client]?.(null));
    expect(text).toMatch(/[^\n]\n$/);
    expect(hints.join('\n')).not.toMatch(/hld_|holds the key/);
  });

  it('holds the key where it was asked to, and then says so', () => {
    const { text, hints } = configure(connection({ key: KEY }));
    expect(READ[client]?.(text)).toEqual(EXPECTED[client]?.(`Bearer ${KEY}`));
    expect(hints.join('\n')).toContain(
      client === 'claude-code' ? 'your shell keeps it in its history' : 'keep it out of version control',
    );
    expect(hints.join('\n')).not.toContain(KEY);
  });

  it.each([
    "http://[::1]:3000/it's;$(a)",
    'http://127.0.0.1:3000/${HALDIR_API_KEY}/"\u007f/',
    'https://h.example/a&b/',
  ])('says %s as the client reads it, with nothing in it that the client fills in', (url) => {
    const read = JSON.stringify(READ[client]?.(configure(connection({ haldir: haldirUrl(url) })).text));
    const shown = client === 'claude-desktop' ? haldirUrl(url).href.slice(0, -1) : `${haldirUrl(url).href}mcp`;
    expect(read).toContain(JSON.stringify(shown));
    expect(shown).not.toContain('${');
  });
});
