// @ts-check
import { createRequire } from 'node:module';
import path from 'node:path';
import { freePort } from '../embedded/ports.mjs';
import { entryOfEverything } from '../lib/everything.mjs';
import { startMcpServer } from '../lib/mcp-server.mjs';
import { textOf } from './agent.mjs';
import { tryItsTools } from './server-everything.mjs';

/**
 * The reference server over stdio, which supergateway offers over event streams, as it does unless it is told otherwise. Whatever
 * the server says it sends over every stream.
 *
 * @param {import('./servers.mjs').Stage} stage
 */
export async function trySupergateway(stage) {
  const agent = await tryItsTools(stage, 'supergateway', () => start(stage.dir), true);
  const texts = Array.from({ length: 20 }, (_, n) => `call ${n}`);
  const answers = await Promise.all(texts.map((message) => agent.call('supergateway.echo', { message })));
  stage.check(
    'of calls made at once over both processes, each has its own answer',
    answers.every((answer, n) => textOf(answer) === `Echo: ${texts[n]}`),
    answers,
  );
}

/** @param {string} dir that has the packages */
async function start(dir) {
  const from = path.join(dir, 'package.json');
  const port = await freePort();
  const command = [process.execPath, entryOfEverything(from), 'stdio'].map((word) => JSON.stringify(word)).join(' ');
  const packageFile = createRequire(from).resolve('supergateway/package.json');
  return startMcpServer({
    entry: path.join(path.dirname(packageFile), 'dist', 'index.js'),
    args: ['--stdio', command, '--port', String(port), '--logLevel', 'none'],
    port,
    env: { PATH: process.env.PATH },
    address: '/sse',
  });
}
