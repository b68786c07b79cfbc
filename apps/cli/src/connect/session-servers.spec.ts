import { SessionServers } from './session-servers.js';
import { type Building, eventually, isAlive, messagesIn, Stage } from './stage.for-spec.js';

let stage: Stage;
beforeEach(async () => {
  stage = await Stage.open();
});
afterEach(() => stage.close());

const each =
  ({ maxSessions = 8, idleMs = 3_600_000 } = {}) =>
  ({ instance, said }: Building): SessionServers =>
    new SessionServers(stage.command(), instance, said, { maxSessions, idleMs });

const pidOf = async (session: string): Promise<number> => Number(await stage.call(session, 'pid'));

it('have a process for each session, which knows nothing of the others and ends with it', async () => {
  await stage.connect(each());
  const [one = '', two = ''] = await Promise.all([stage.begin(), stage.begin()]);
  await stage.call(one, 'remember', { text: 'mine' });
  expect(await stage.call(two, 'recall')).toBe('nothing');
  expect(await stage.call(one, 'recall')).toBe('mine');
  const [first, second] = [await pidOf(one), await pidOf(two)];
  expect((await stage.haldir.ask('DELETE', { 'mcp-session-id': one }).whole).status).toBe(200);
  expect((await stage.post('tools/list', {}, one).whole).status).toBe(404);
  await eventually(() => expect([isAlive(first), isAlive(second)]).toEqual([false, true]));
});

it('are initialized as the client asks', async () => {
  await stage.connect(each());
  const hello = { protocolVersion: '2025-06-18', capabilities: { roots: {} }, clientInfo: { name: 'c', version: '1' } };
  const answer = await stage.post('initialize', hello).whole;
  expect(messagesIn(answer)[0]).toMatchObject({ id: 1, result: { protocolVersion: '2025-06-18' } });
  // The first is tried out.
  expect(stage.seen()).toEqual(['initialize {}', 'initialize {"roots":{}}']);
});

it('are told that they may ask, where Haldir offers it', async () => {
  await stage.connect(each());
  const hello = { protocolVersion: '2025-11-25', capabilities: { roots: {} }, clientInfo: { name: 'c', version: '1' } };
  const meta = { 'haldir/elicitation': { form: {} }, other: 1 };
  await stage.post('initialize', { ...hello, _meta: meta }).whole;
  expect(stage.seen().at(-1)).toBe('initialize {"roots":{},"elicitation":{"form":{}}} {"other":1}');
  await stage.post('initialize', { ...hello, _meta: { 'haldir/elicitation': { form: {} } } }).whole;
  expect(stage.seen().at(-1)).toBe('initialize {"roots":{},"elicitation":{"form":{}}}');
});

it('pass on what a server asks, on the stream of the call under way, and what is answered', async () => {
  await stage.connect(each());
  const session = await stage.begin();
  const asking = stage.post('tools/call', { name: 'ask', arguments: { question: 'who?' } }, session);
  await eventually(() => expect(messagesIn(asking.answer)).toHaveLength(1));
  const [question] = messagesIn(asking.answer);
  expect(question).toMatchObject({ id: 'q-who?', method: 'elicitation/create', params: { message: 'who?' } });
  const reply = { jsonrpc: '2.0', id: 'q-who?', result: { action: 'accept' } };
  expect((await stage.haldir.ask('POST', { 'mcp-session-id': session }, reply).whole).status).toBe(202);
  expect(messagesIn(await asking.whole).at(-1)).toMatchObject({
    result: { content: [{ text: '{"action":"accept"}' }] },
  });
});

it('pass no question on while several requests are under way, or one that was given up may still be', async () => {
  await stage.connect(each());
  const session = await stage.begin();
  const ask = (args: object): Promise<string> => stage.call(session, 'ask', args);
  const asking = ask({ question: 'who?', later: true });
  await eventually(() => expect(stage.seen().join()).toContain('call ask'));
  const waiting = stage.post('tools/call', { name: 'wait', arguments: {} }, session);
  expect(await asking).toContain('"code":-32603');
  expect(waiting.answer).toMatchObject({ body: '', isWhole: false });
  waiting.cancel();
  await eventually(() => expect(stage.seen()).toContain('cancelled wait'));
  expect(await ask({ question: 'who now?' })).toContain('nobody knows whose client to ask');
  // Another session knows nothing of that.
  const other = stage.post('tools/call', { name: 'ask', arguments: { question: 'who?' } }, await stage.begin());
  await eventually(() => expect(messagesIn(other.answer)).toHaveLength(1));
});

it('pass on progress under the token of the asker, and tell the server who has gone', async () => {
  await stage.connect(each());
  const session = await stage.begin();
  const params = { name: 'steps', arguments: { steps: 1 }, _meta: { progressToken: 'p9' } };
  expect(messagesIn(await stage.post('tools/call', params, session).whole)[0]).toMatchObject({
    params: { progressToken: 'p9' },
  });
  const waiting = stage.post('tools/call', { name: 'wait', arguments: {} }, session);
  await eventually(() => expect(stage.seen()).toContain('call wait {}'));
  waiting.cancel();
  await eventually(() => expect(stage.seen()).toContain('cancelled wait'));
});

it('say on the stream of their session alone that a list has changed, later where nobody listens', async () => {
  await stage.connect(each());
  const [one = '', two = ''] = await Promise.all([stage.begin(), stage.begin()]);
  const changed = { jsonrpc: '2.0', method: 'notifications/tools/list_changed' };
  const other = stage.haldir.ask('GET', { 'mcp-session-id': two });
  await eventually(() => expect(other.answer.status).toBe(200));
  // The call under way hears of it.
  const params = { name: 'change', arguments: {} };
  expect(messagesIn(await stage.post('tools/call', params, one).whole)[0]).toEqual(changed);
  const stream = stage.haldir.ask('GET', { 'mcp-session-id': one });
  await eventually(() => expect(stream.answer.status).toBe(200));
  await stage.call(one, 'change');
  await eventually(() => expect(messagesIn(stream.answer)).toEqual([changed]));
  expect(other.answer.body).toBe('');
});

it('that exit end their session alone', async () => {
  await stage.connect(each());
  const [one = '', two = ''] = await Promise.all([stage.begin(), stage.begin()]);
  expect((await stage.post('tools/call', { name: 'die', arguments: {} }, one).whole).failed).toBe('reset');
  expect((await stage.post('tools/list', {}, one).whole).status).toBe(404);
  expect(await stage.call(two, 'recall')).toBe('nothing');
  expect(stage.said).toContainEqual('the server of a session exited with 3');
});

it('are no more than allowed', async () => {
  await stage.connect(each({ maxSessions: 1 }));
  const session = await stage.begin();
  const refused = await stage.post('initialize').whole;
  expect(refused.status).toBe(503);
  expect(refused.body).toContain('--max-sessions');
  const pid = await pidOf(session);
  await stage.haldir.ask('DELETE', { 'mcp-session-id': session }).whole;
  await eventually(() => expect(isAlive(pid)).toBe(false));
  await eventually(async () => expect(await stage.begin()).not.toBe(''));
});

it('that nobody uses are ended, and no one that is busy', async () => {
  await stage.connect(each({ idleMs: 2_000 }));
  const busy = await stage.begin();
  const pid = await pidOf(busy);
  const waiting = stage.post('tools/call', { name: 'wait', arguments: {} }, busy);
  const idle = await stage.begin();
  const idlePid = await pidOf(idle);
  await eventually(() => expect(isAlive(idlePid)).toBe(false));
  expect((await stage.post('ping', {}, idle).whole).status).toBe(404);
  expect([isAlive(pid), waiting.answer.isWhole]).toEqual([true, false]);
  expect((await stage.post('ping', {}, busy).whole).status).toBe(200);
});

it('are not asked for the revision without sessions, which belongs to none', async () => {
  await stage.connect(each());
  const headers = { 'mcp-protocol-version': '2026-07-28' };
  const answer = await stage.post('server/discover', {}, undefined, headers).whole;
  expect(messagesIn(answer)[0]).toMatchObject({ error: { code: -32601 } });
  expect((await stage.post('tools/list').whole).status).toBe(400);
  expect(stage.seen()).toEqual(['initialize {}']);
});

it('end with the connector, and what they started too', async () => {
  await stage.connect(each());
  const [one = '', two = ''] = await Promise.all([stage.begin(), stage.begin()]);
  const pids = [await pidOf(one), await pidOf(two), Number(await stage.call(two, 'spawn'))];
  const closing = stage;
  stage = await Stage.open();
  await closing.close();
  await eventually(() => expect(pids.map(isAlive)).toEqual([false, false, false]));
});

it('that do not come up are said before anybody asks', async () => {
  const nothing = { program: process.execPath, args: ['-e', 'process.exit(7)'], env: {} };
  const limits = { maxSessions: 1, idleMs: 1_000 };
  const connecting = stage.connect(({ instance, said }) => new SessionServers(nothing, instance, said, limits));
  await expect(connecting).rejects.toThrow('exited with 7');
});

it('that are silent are waited for so long, and said', async () => {
  const silent = { program: process.execPath, args: ['-e', 'process.stdin.resume()'], env: {} };
  const limits = { maxSessions: 1, idleMs: 1_000 };
  const connecting = stage.connect(
    ({ instance, said, room }) => new SessionServers(silent, instance, said, limits, room, 50),
  );
  await expect(connecting).rejects.toThrow('gives no answer');
});

it('that cannot be started have a call fail, and nothing else', async () => {
  let command = stage.command();
  const failing = {
    get program() {
      return command.program;
    },
    get args() {
      return command.args;
    },
    env: command.env,
  };
  const limits = { maxSessions: 8, idleMs: 3_600_000 };
  await stage.connect(({ instance, said }) => new SessionServers(failing, instance, said, limits));
  const works = command;
  // The system throws (E2BIG).
  command = { ...command, args: [...command.args, 'x'.repeat(3 * 1024 * 1024)] };
  expect((await stage.post('initialize').whole).failed).toBe('reset');
  command = works;
  expect(await stage.call(await stage.begin(), 'recall')).toBe('nothing');
});
