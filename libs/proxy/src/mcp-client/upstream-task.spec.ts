import { setTimeout as sleep } from 'node:timers/promises';
import { Unavailable } from '@haldir/kernel';
import { type McpClient } from './mcp-client.js';
import { type CallOptions } from './mcp-client.options.js';
import { UpstreamRpcError, UpstreamUnreachable } from './mcp-client.errors.js';
import {
  cleanUp,
  client,
  fail,
  failure,
  json,
  type Handler,
  type Message,
  ok,
  text,
  type Upstream,
  upstream,
} from './upstream-fixture.for-spec.js';
import { UpstreamTask } from './upstream-task.js';

afterEach(cleanUp);

const TASKS = { 'io.modelcontextprotocol/tasks': {} };
const CAPABILITIES = 'io.modelcontextprotocol/clientCapabilities';
const working = { status: 'working', pollIntervalMs: 250 };
const completed = { status: 'completed', result: text('done') };

/** An upstream of the stateless revision that makes tasks; `get` is what it says of one, each time it is asked. */
function tasking(get: Handler, { extensions = TASKS, created = {} }: { extensions?: object; created?: object } = {}) {
  return upstream((message, req, res) => {
    if (message.method === 'server/discover')
      return ok(message, { supportedVersions: ['2026-07-28'], capabilities: { tools: {}, extensions } });
    if (message.method === 'tools/call')
      return ok(message, { resultType: 'task', taskId: 'tsk-1', ...working, ...created });
    if (message.method === 'tasks/cancel') return ok(message, { resultType: 'complete' });
    return get(message, req, res);
  });
}

/** Says these one after the other, and the last of them from then on. */
function saying(...states: object[]): Handler {
  let asked = 0;
  return (message) => ok(message, { resultType: 'complete', ...states[Math.min(asked++, states.length - 1)] });
}

async function call(mcp: McpClient, options: CallOptions = {}): Promise<unknown> {
  const said = await mcp.callTool('work', { a: 1 }, options);
  if (!(said instanceof UpstreamTask)) return said;
  return said.result((method, question) => mcp.askOfTask(method, said.id, question), options);
}

const asked = ({ seen }: Upstream, method: string): Message[] =>
  seen.filter(({ message }) => message.method === method).map(({ message }) => message);
const isCancelled = (server: Upstream): Promise<void> =>
  vi.waitFor(() => expect(asked(server, 'tasks/cancel')).toMatchObject([{ params: { taskId: 'tsk-1' } }]), 10_000);
const long = { deadlineMs: 60_000 };

describe('a call that an upstream makes a task of', () => {
  it('is one call, whose result is asked for until it is there, at the pace that the upstream wants', async () => {
    const server = await tasking(saying(working, { ...working, pollIntervalMs: 700 }, completed));
    const startedAt = performance.now();
    expect(await call(client(server.url), long)).toEqual(text('done'));
    expect(performance.now() - startedAt).toBeGreaterThan(1_150);
    expect(server.methods()).toEqual(['server/discover', 'tools/call', 'tasks/get', 'tasks/get', 'tasks/get']);
    const { headers } = server.seen.find(({ message }) => message.method === 'tasks/get') ?? {};
    expect(headers).toMatchObject({ 'mcp-method': 'tasks/get', 'mcp-name': 'tsk-1' });
  });

  it('is told that Haldir goes on with tasks, which nothing else is told, besides what its client can be asked', async () => {
    const server = await tasking(saying(completed));
    const mcp = client(server.url);
    await mcp.read('resources/read', { uri: 'a:b' });
    await call(mcp, { ...long, dialogue: { capabilities: { elicitation: {} } } });
    const told = ['resources/read', 'tools/call', 'tasks/get'].map(
      (method) => asked(server, method)[0].params._meta[CAPABILITIES],
    );
    expect(told).toEqual([{}, { elicitation: {}, extensions: TASKS }, { extensions: TASKS }]);
  });

  it('is no answer of an upstream that declares none, which is told of none', async () => {
    const server = await tasking(saying(completed), { extensions: {} });
    expect(await failure(call(client(server.url)))).toMatchObject({ reason: 'protocol', sent: true });
    expect(asked(server, 'tools/call')).toMatchObject([{ params: { _meta: { [CAPABILITIES]: {} } } }]);
    expect(asked(server, 'tools/call')[0].params._meta[CAPABILITIES]).toEqual({});
  });

  it.each([400, 200])(
    'is that of the next call, where an upstream requires tasks by now (-32021, %i)',
    async (status) => {
      let extensions: object = {};
      const server = await upstream((message, _, res) => {
        if (message.method === 'server/discover')
          return ok(message, { supportedVersions: ['2026-07-28'], capabilities: { tools: {}, extensions } });
        if (message.method === 'tasks/get') return ok(message, completed);
        if (message.params._meta[CAPABILITIES].extensions)
          return ok(message, { resultType: 'task', taskId: 'tsk-1', ...working });
        if (extensions === TASKS) return json(res, status, fail(message.id, -32_021, 'Missing capability'));
        return ok(message, text('at once'));
      });
      const mcp = client(server.url);
      expect(await call(mcp, long)).toEqual(text('at once'));
      extensions = TASKS;
      await expect(call(mcp, long)).rejects.toMatchObject({ rpcCode: -32_021 });
      expect(await call(mcp, long)).toEqual(text('done'));
    },
  );

  it.each([
    ['of another kind', 7],
    ['of no characters', ''],
    ['too long', 'x'.repeat(1_025)],
    ['of half a character', '\ud800'],
  ])('is no answer without an id that can be asked for: one %s', async (_, taskId) => {
    const server = await tasking(saying(completed), { created: { taskId } });
    expect(await failure(call(client(server.url)))).toMatchObject({ reason: 'protocol', sent: true });
  });

  it('is given up at the deadline of the call, and cancelled', async () => {
    const server = await tasking(saying(working));
    expect(await failure(call(client(server.url), { deadlineMs: 3_000 }))).toMatchObject({
      ...{ reason: 'timeout', sent: true },
    });
    await isCancelled(server);
    expect(asked(server, 'tools/call')).toHaveLength(1);
    expect(asked(server, 'tasks/get').length).toBeLessThanOrEqual(14);
  });

  it('is asked for once more before the deadline, however long the upstream would have it wait', async () => {
    const server = await tasking(saying(completed), { created: { pollIntervalMs: 10_000 } });
    expect(await call(client(server.url), { deadlineMs: 3_000 })).toEqual(text('done'));
    const late = await tasking(saying(working), { created: { pollIntervalMs: 10_000 } });
    expect(await failure(call(client(late.url), { deadlineMs: 3_000 }))).toMatchObject({
      reason: 'timeout',
      sent: true,
    });
    expect(asked(late, 'tasks/get')).toHaveLength(1);
    await isCancelled(late);
  });

  it.each(['between questions', 'while one is not answered'])(
    'is cancelled when the call is broken off %s',
    async (when) => {
      const abort = new AbortController();
      const server = await tasking((message) => {
        setTimeout(() => abort.abort(), 50);
        return when === 'between questions' ? ok(message, working) : undefined;
      });
      expect(await failure(call(client(server.url), { ...long, signal: abort.signal }))).toMatchObject({
        ...{ reason: 'aborted', sent: true },
      });
      await isCancelled(server);
    },
  );

  it('that the upstream says is over is not cancelled: its error is that of the call, and no result is none', async () => {
    const error = { code: -32_050, message: 'no more paper', data: { tray: 2 } };
    const failed = await tasking(saying({ status: 'failed', error }));
    const rejected = expect(call(client(failed.url), long)).rejects;
    await rejected.toMatchObject({ rpcCode: -32_050, rpcMessage: 'no more paper', data: { tray: 2 } });
    const cancelled = await tasking(saying({ status: 'cancelled' }));
    expect(await failure(call(client(cancelled.url), long))).toMatchObject({ reason: 'task', sent: true });
    const asking = await tasking(saying({ status: 'completed', result: { resultType: 'input_required' } }));
    await expect(call(client(asking.url), long)).rejects.toBeInstanceOf(UpstreamRpcError);
    for (const server of [failed, cancelled, asking]) expect(asked(server, 'tasks/cancel')).toEqual([]);
  });

  it('that asks for input fails in words that say so, and is cancelled', async () => {
    const server = await tasking(saying({ status: 'input_required', inputRequests: {} }));
    const options = { ...long, dialogue: { capabilities: { elicitation: {} } } };
    const error = await failure(call(client(server.url), options));
    expect(error).toMatchObject({ reason: 'task', sent: true, message: expect.stringContaining('asks for input') });
    await isCancelled(server);
  });

  it('that the upstream does not know any more came to nothing, and was sent', async () => {
    const server = await tasking((message) => fail(message.id, -32_602, 'Task not found: secret words'));
    const error = await failure(call(client(server.url), long));
    expect(error).toMatchObject({ reason: 'task', sent: true, message: expect.stringContaining('-32602') });
    expect(error.message).not.toContain('secret');
    expect(asked(server, 'tasks/get')).toHaveLength(1);
  });

  it.each([{ status: 'dreaming' }, {}, { status: 7 }])(
    'in a state that nobody knows is no answer: %j',
    async (state) => {
      const server = await tasking(saying(state));
      expect(await failure(call(client(server.url), long))).toMatchObject({ reason: 'protocol', sent: true });
      await isCancelled(server);
    },
  );

  it('is asked for again where a question came to nothing for a reason that may pass', async () => {
    const troubles: Handler[] = [
      (message, _, res) => json(res, 503, fail(message.id, -32_603, 'later')),
      (_, __, res) => void res.destroy(),
      (_, __, res) => json(res, 429, {}),
    ];
    const server = await tasking((message, req, res) => (troubles.shift() ?? saying(completed))(message, req, res));
    expect(await call(client(server.url), long)).toEqual(text('done'));
    expect(asked(server, 'tools/call')).toHaveLength(1);
  });

  it.each([
    new Unavailable(),
    ...(['token', 'busy', 'masking', 'session'] as const).map((why) => new UpstreamUnreachable(why, { sent: false })),
  ])('is asked for again when it could not be asked: %s', async (trouble) => {
    const server = await tasking(saying(completed));
    const mcp = client(server.url);
    const task = (await mcp.callTool('work', {}, long)) as UpstreamTask;
    const troubles = [trouble, trouble];
    const result = task.result(async (method, question) => {
      const now = troubles.pop();
      if (now) throw now;
      return mcp.askOfTask(method, task.id, question);
    }, {});
    expect(await result).toEqual(text('done'));
  });

  it('came to nothing, and was sent, where it could not be asked for five times in a row', async () => {
    const task = UpstreamTask.in({ resultType: 'task', taskId: 'tsk-1', ...working }, performance.now() + 60_000);
    const asks = vi.fn(() => Promise.reject(new Unavailable()));
    const error = await failure(task?.result(asks, {}) ?? Promise.resolve());
    expect(error).toMatchObject({ reason: 'task', sent: true, message: expect.stringContaining('was not there') });
    expect(asks.mock.calls.map(([method]: unknown[]) => method)).toEqual([
      ...Array(5).fill('tasks/get'),
      'tasks/cancel',
    ]);
  }, 30_000);

  it('has been sent, whatever becomes of questions about it: of an upstream that is gone, or lets nobody in', async () => {
    const server = await tasking(saying(working), { created: { pollIntervalMs: 0 } });
    const gone = failure(call(client(server.url), long));
    await vi.waitFor(() => expect(asked(server, 'tools/call')).toHaveLength(1), 10_000);
    await sleep(20);
    await server.stop();
    expect(await gone).toMatchObject({ sent: true });
    const shut = await tasking((_, __, res) => json(res, 401, {}));
    expect(await failure(call(client(shut.url), long))).toMatchObject({ reason: 'unauthorized', sent: true });
    expect(asked(shut, 'tools/call')).toHaveLength(1);
  });

  it('says no more while it is at work than 1 MiB, and no more at once than an answer may take', async () => {
    const chatty = await tasking(saying({ ...working, statusMessage: 'x'.repeat(600_000) }));
    const error = await failure(call(client(chatty.url), long));
    expect(error).toMatchObject({ reason: 'too_large', sent: true, detail: expect.stringContaining('1 MiB') });
    expect(asked(chatty, 'tasks/get')).toHaveLength(2);
    await isCancelled(chatty);
    const large = await tasking(saying({ ...completed, result: text('x'.repeat(2_000)) }));
    expect(await failure(call(client(large.url), { ...long, maxBytes: 1_500 }))).toMatchObject({
      ...{ reason: 'too_large', sent: true },
    });
  });

  it('is masked in everything that is said of it', async () => {
    const server = await tasking(saying({ ...completed, result: text('the secret') }));
    const mask = (message: unknown): Promise<unknown> =>
      Promise.resolve(JSON.parse(JSON.stringify(message).replaceAll('secret', '***')));
    expect(await call(client(server.url), { ...long, mask })).toEqual(text('the ***'));
  });

  it('has the later deadline of a call that said how far it was', async () => {
    const server = await upstream(async (message, _, res) => {
      if (message.method === 'server/discover')
        return ok(message, { supportedVersions: ['2026-07-28'], capabilities: { extensions: TASKS } });
      if (message.method !== 'tools/call') return ok(message, completed);
      res.writeHead(200, { 'content-type': 'text/event-stream' });
      const say = (said: unknown): unknown => res.write(`data: ${JSON.stringify(said)}\n\n`);
      const { progressToken } = message.params._meta;
      for (let progress = 1; progress <= 4; progress++) {
        say({ jsonrpc: '2.0', method: 'notifications/progress', params: { progressToken, progress } });
        await sleep(400);
      }
      return void res.end(
        `data: ${JSON.stringify(ok(message, { resultType: 'task', taskId: 'tsk-1', ...working }))}\n\n`,
      );
    });
    const options = { deadlineMs: 1_500, longestMs: 60_000, onProgress: () => undefined };
    expect(await call(client(server.url), options)).toEqual(text('done'));
  });
});
