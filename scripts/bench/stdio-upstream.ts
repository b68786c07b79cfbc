// The trivial MCP server of `upstream.ts`, over its standard streams.
import readline from 'node:readline';
import { answer } from './answer.js';

readline.createInterface({ input: process.stdin }).on('line', (line) => {
  const { id, method, params } = JSON.parse(line);
  if (id !== undefined)
    process.stdout.write(
      `${JSON.stringify({ jsonrpc: '2.0', id, ...answer(method, params, { tools: 1, fill: 0 }) })}\n`,
    );
});
