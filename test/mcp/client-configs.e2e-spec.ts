import { Client as McpClient, StreamableHTTPClientTransport, type Transport } from '@modelcontextprotocol/client';
import { StdioClientTransport } from '@modelcontextprotocol/client/stdio';
import { parse as parseToml } from 'smol-toml';
import { type Client, cli, type FakeUpstream, Scenario, sharedWorld, type World } from '@haldir/test-support';

const CLIENTS = ['claude-code', 'claude-desktop', 'cursor', 'vscode', 'codex', 'copilot-cli'];
let world: World;
let tenant: Client;
let scenario: Scenario<FakeUpstream>;
let environment: { HALDIR_URL: string; HALDIR_API_KEY: string };

beforeAll(async () => {
  world = await sharedWorld();
  tenant = await world.newTenant();
  scenario = await Scenario.of(world, ['echo'], { tenant });
  const { body } = await tenant.post<{ key: string }>('/v1/keys', {
    tier: 'pro',
    agent: { agent_id: 'configured', scopes: ['read', 'execute'], ttl: 600, spend_limit: 0 },
  });
  environment = { HALDIR_URL: tenant.url, HALDIR_API_KEY: body.key };
});
afterAll(() => scenario.up.stop());

const config = (client: string, ...args: string[]): ReturnType<typeof cli> =>
  cli(environment, 'mcp', 'config', '--client', client, ...args);

interface Started {
  command: string;
  args: string[];
  env: Record<string, string>;
}
const http = (url: string, headers: Record<string, string>): Transport =>
  new StreamableHTTPClientTransport(new URL(url), { requestInit: { headers } });
const jsonOf = (text: string): Record<string, { haldir: { url: string; headers: Record<string, string> } }> =>
  JSON.parse(text) as never;

/** What each client makes of its configuration, with the key in it. */
const CONNECT: Record<string, (text: string) => Transport> = {
  'claude-code': (text) => {
    const [, url = '', name = '', value = ''] = /^claude mcp add .* haldir (\S+) --header '(\w+): ([^']+)'\n$/.exec(text) ?? []; // prettier-ignore
    return http(url, { [name]: value });
  },
  'claude-desktop': (text) => {
    const { command, args, env } = jsonOf(text)['mcpServers']?.haldir as unknown as Started;
    return new StdioClientTransport({ command, args, env: { PATH: process.env.PATH ?? '', ...env }, stderr: 'ignore' });
  },
  cursor: (text) =>
    http(jsonOf(text)['mcpServers']?.haldir.url ?? '', jsonOf(text)['mcpServers']?.haldir.headers ?? {}),
  vscode: (text) => http(jsonOf(text)['servers']?.haldir.url ?? '', jsonOf(text)['servers']?.haldir.headers ?? {}),
  codex: (text) => {
    const { haldir } = parseToml(text)['mcp_servers'] as { haldir: { url: string; http_headers: never } };
    return http(haldir.url, haldir.http_headers);
  },
  'copilot-cli': (text) => CONNECT['cursor']?.(text) ?? http('', {}),
};

it.each(CLIENTS)('a %s that was given what is printed calls the tools of its agent key', async (name) => {
  const { code, stdout, stderr } = await config(name, '--with-key');
  expect({ code, stderr }).toEqual({ code: 0, stderr: expect.not.stringContaining(environment.HALDIR_API_KEY) });
  const client = new McpClient({ name, version: '1.0.0' });
  await client.connect(CONNECT[name]?.(stdout) as Transport);
  expect((await client.listTools()).tools.map((tool) => tool.name)).toContain('up__echo');
  expect(await client.callTool({ name: 'up__echo', arguments: {} })).not.toMatchObject({ isError: true });
  await client.close();
});

it.each(CLIENTS)('the key is printed for %s where it is asked for, and not else', async (name) => {
  const { code, stdout, stderr } = await config(name);
  expect(code).toBe(0);
  expect(stdout + stderr).not.toContain(environment.HALDIR_API_KEY);
  expect(stdout).toMatch(/HALDIR_API_KEY|haldir-key/);
  expect(stderr).not.toBe('');
  const { HALDIR_API_KEY: _, ...keyless } = environment;
  expect(await cli(keyless, 'mcp', 'config', '--client', name)).toEqual({ code, stdout, stderr });
});

it.each([
  ['no client', {}, [], `--client is missing: it is one of ${CLIENTS.join(', ')}`],
  ['one that it does not know', {}, ['--client', 'zed'], `there is no client zed; there are ${CLIENTS.join(', ')}`],
  ['no key to print', {}, ['--client', 'cursor', '--with-key'], 'HALDIR_API_KEY is missing'],
  ['a key that is none', { HALDIR_API_KEY: 'hld_${HOME}' }, ['--client', 'cursor', '--with-key'], 'is no API key'],
  ['a URL that is none', { HALDIR_URL: 'localhost' }, ['--client', 'cursor'], 'the URL of Haldir should be one like'],
  [
    'a URL with a password',
    { HALDIR_URL: 'http://me:hunter2@h.example' },
    ['--client', 'cursor'],
    'no user, password, query',
  ],
  ['a URL with a user', { HALDIR_URL: 'http://hunter2@h.example' }, ['--client', 'cursor'], 'no user, password, query'],
  [
    'a URL with a query',
    { HALDIR_URL: 'http://h.example/?key=hunter2' },
    ['--client', 'cursor'],
    'no user, password, query',
  ],
  [
    'a URL with a fragment',
    { HALDIR_URL: 'http://h.example/#hunter2' },
    ['--client', 'cursor'],
    'no user, password, query',
  ],
  ['an option that it does not take', {}, ['--client', 'cursor', '--key'], "'--key'"],
])('given %s it prints nothing but what is wrong', async (_, env, args, message) => {
  const { code, stdout, stderr } = await cli(env, 'mcp', 'config', ...args);
  expect({ code, stdout }).toEqual({ code: 64, stdout: '' });
  expect(stderr).toContain(message);
  expect(stderr).not.toMatch(/\$\{HOME\}|hunter2/);
});

it.each([['config', '--client', 'cursor'], []])(
  'a HALDIR_URL that is empty is none, to haldir mcp %j',
  async (...args) => {
    const env = { HALDIR_URL: '', HALDIR_API_KEY: 'hld_none' };
    const { code, stderr } = await cli(env, 'mcp', ...args);
    expect({ code, stderr }).toEqual({ code: 0, stderr: expect.not.stringContaining('the URL of Haldir') });
  },
);
