import { looksLikeCommand } from './command-text.js';

it.each([
  'npx -y @modelcontextprotocol/server-filesystem /tmp',
  'npx',
  'uvx mcp-server-time',
  'node.exe C:\\server.js',
  'my-server --stdio',
  'C:\\tools\\server.exe',
  '/usr/local/bin/server',
  './server',
  '~/bin/server',
  'stdio://server',
  'file:///usr/bin/server',
  'docker run -i https://registry.test/image',
])('what starts a server is told to be a command: %s', (text) => expect(looksLikeCommand(text)).toBe(true));

it.each([
  'http://a b/',
  'https://up.test/npx -y',
  'ws://up.test/mcp',
  'up.test/mcp',
  'localhost:3000',
  '',
  'nodes',
  'ftp://up.test/a b',
])('what is no more than a wrong URL is not: %j', (text) => expect(looksLikeCommand(text)).toBe(false));
