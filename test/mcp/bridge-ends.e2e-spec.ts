import { type ChildProcess, spawn } from 'node:child_process';
import { type AddressInfo, connect, createServer, type Socket } from 'node:net';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { eventually, serveHttp, type Upstream } from '@haldir/test-support';

const PROGRAM = join(import.meta.dirname, '..', '..', 'dist', 'apps', 'cli', 'src', 'main.js');

let front: Upstream;
let asked: string[];
let child: ChildProcess | undefined;

beforeEach(async () => {
  asked = [];
  // Shakes hands, tells of changes on a stream that stays open, opens and ends sessions, and answers nothing else.
  front = await serveHttp((request, response) => {
    void text(request).then((body) => {
      const { id, method } = (body === '' ? {} : JSON.parse(body)) as { id?: number; method?: string };
      asked.push(`${request.method} ${request.url} ${method ?? ''}`.trim());
      if (request.url !== '/mcp') response.end(JSON.stringify({ session_id: 'ses_1' }));
      else if (request.method === 'GET')
        response.writeHead(200, { 'content-type': 'text/event-stream' }).write(':\n\n');
      else if (method === 'notifications/initialized') response.writeHead(202).end();
      else if (method === 'initialize') {
        const result = { protocolVersion: '2025-11-25', capabilities: { tools: { listChanged: true } } };
        response.writeHead(200, { 'content-type': 'application/json' });
        response.end(JSON.stringify({ jsonrpc: '2.0', id, result }));
      }
    });
  });
});
afterEach(async () => {
  child?.kill('SIGKILL');
  await front.stop();
});

function start(stdin: 'pipe' | Socket) {
  const env = { PATH: process.env.PATH ?? '', HALDIR_URL: new URL('/', front.url).href, HALDIR_API_KEY: 'hld_key' };
  const program = spawn(process.execPath, [PROGRAM, 'mcp', '--agent', 'desk'], { env, stdio: [stdin, 'pipe', 'pipe'] });
  child = program;
  const ended = Promise.all([
    new Promise<number | null>((resolve) => program.once('exit', resolve)),
    text(program.stderr as NodeJS.ReadableStream),
  ]);
  return { program, ended };
}
const lines = (...messages: object[]): string =>
  messages.map((message) => `${JSON.stringify({ jsonrpc: '2.0', ...message })}\n`).join('');
const SHAKE = lines(
  { id: 1, method: 'initialize' },
  { method: 'notifications/initialized' },
  { id: 2, method: 'tools/call' },
);
const ENDED = 'DELETE /v1/sessions/ses_1';

it('ends, its stream, its calls and its session with it, when its input fails', async () => {
  const listener = createServer({ pauseOnConnect: true }).listen(0, '127.0.0.1');
  await new Promise((resolve) => listener.once('listening', resolve));
  const accepted = new Promise<Socket>((resolve) => listener.once('connection', resolve));
  const writer = connect((listener.address() as AddressInfo).port, '127.0.0.1');
  const { ended } = start(await accepted);
  writer.write(SHAKE);
  await eventually(() => expect(asked).toEqual(expect.arrayContaining(['GET /mcp', 'POST /mcp tools/call'])), 30_000);
  writer.resetAndDestroy();
  expect(await ended).toEqual([1, expect.stringContaining('ECONNRESET')]);
  expect(asked).toContain(ENDED);
  listener.close();
});

it('ends on SIGTERM, also where a notification hangs', async () => {
  const { program, ended } = start('pipe');
  program.stdin?.write(SHAKE + lines({ method: 'notifications/roots/list_changed' }));
  const hanging = 'POST /mcp notifications/roots/list_changed';
  await eventually(() => expect(asked).toEqual(expect.arrayContaining(['GET /mcp', hanging])), 30_000);
  program.kill('SIGTERM');
  expect((await ended)[0]).toBe(0);
  expect(asked).toContain(ENDED);
});
