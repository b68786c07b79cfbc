import { Exchange } from './exchange.js';
import { SharedServer } from './shared-server.js';
import { type Building, eventually, isAlive, messagesIn, Stage, textIn } from './stage.for-spec.js';

let stage: Stage;
beforeEach(async () => {
  stage = await Stage.open();
});
afterEach(() => stage.close());

const STATELESS = { 'mcp-protocol-version': '2026-07-28' };

const share =
  (revision: Parameters<Stage['command']>[0] = 'handshake', probeMs?: number) =>
  ({ instance, said, room }: Building): SharedServer =>
    new SharedServer(stage.command(revision), instance, said, room, probeMs);

it('is initialized once, with no capabilities, whoever begins a session', async () => {
  await stage.connect(share());
  const sessions = await Promise.all([stage.begin(), stage.begin()]);
  expect(new Set(sessions).size).toBe(2);
  for (const session of sessions) expect(session).toMatch(new RegExp(`^${stage.instance}\\.[0-9a-f-]{20,}$`));
  expect(await stage.call(sessions[0], 'remember', { text: 'a' })).toBe('was nothing, is a');
  expect(await stage.call(sessions[1], 'recall')).toBe('a');
  expect(stage.seen().filter((line) => line.startsWith('initialize'))).toEqual(['initialize {}']);
});

it('takes texts with line ends of other kinds, and numbers, as they are', async () => {
  await stage.connect(share());
  const session = await stage.begin();
  const text = 'a\u2028b\u2029c\r\nd😀"\\';
  expect(await stage.call(session, 'echo', { text })).toBe(text);
  const call = `{"jsonrpc":"2.0","id":7.0,"method":"tools/call","params":{"name":"line","arguments":{"number":1.0}}}`;
  const answer = await stage.haldir.ask('POST', { 'mcp-session-id': session }, call).whole;
  expect(textIn(answer)).toContain('"arguments":{"number":1.0}');
  expect(answer.body).toContain('"id":7.0');
});

it('answers requests of one id from several sessions, each its own, and each its progress', async () => {
  await stage.connect(share());
  const sessions = await Promise.all([stage.begin(), stage.begin()]);
  const ask = (session: string, steps: number) =>
    stage.haldir.ask(
      'POST',
      { 'mcp-session-id': session },
      {
        ...{ jsonrpc: '2.0', id: 1, method: 'tools/call' },
        params: { name: 'steps', arguments: { steps }, _meta: { progressToken: 'p1' } },
      },
    );
  const answers = await Promise.all(sessions.map((session, i) => ask(session, i + 2).whole));
  answers.forEach((answer, i) => {
    const messages = messagesIn(answer);
    const steps = i + 2;
    expect(messages.at(-1)).toMatchObject({ id: 1, result: { content: [{ text: `${steps} steps` }] } });
    expect(messages.slice(0, -1).map(({ params }) => params)).toEqual(
      Array.from({ length: steps }, (_, j) => ({ progressToken: 'p1', progress: j + 1, total: steps })),
    );
  });
});

it('tells the server when nobody waits any more, and asks nothing of what was cancelled before', async () => {
  await stage.connect(share());
  const session = await stage.begin();
  const waiting = stage.post('tools/call', { name: 'wait', arguments: {} }, session);
  await eventually(() => expect(stage.seen()).toContain('call wait {}'));
  waiting.cancel();
  await eventually(() => expect(stage.seen()).toContain('cancelled wait'));
  expect(await stage.call(session, 'echo', { text: 'after' })).toBe('after');
});

it('gives up what nothing is said of for as long as there was', async () => {
  await stage.connect(share());
  const session = await stage.begin();
  const message = { jsonrpc: '2.0', id: 1, method: 'tools/call', params: { name: 'wait', arguments: {} } };
  void stage.haldir.ask('POST', { 'mcp-session-id': session }, message, { deadlineMs: 200 });
  await eventually(() => expect(stage.seen()).toContain('cancelled wait'));
});

it('that exits loses its sessions and what is under way, and is started again by the next request', async () => {
  await stage.connect(share());
  const session = await stage.begin();
  const stream = stage.haldir.ask('GET', { 'mcp-session-id': session });
  const waiting = stage.post('tools/call', { name: 'wait', arguments: {} }, session);
  await eventually(() => expect(stage.seen()).toContain('call wait {}'));
  const dying = stage.post('tools/call', { name: 'die', arguments: {} }, session);
  expect((await waiting.whole).failed).toBe('reset');
  expect((await dying.whole).failed).toBe('reset');
  expect((await stream.whole).status).toBe(200);
  expect((await stage.post('tools/list', {}, session).whole).status).toBe(404);
  const another = await stage.begin();
  expect(await stage.call(another, 'echo', { text: 'back' })).toBe('back');
  expect(stage.said).toContainEqual('the server exited with 3; the next request starts it again');
});

it('says to all who listen that a list has changed', async () => {
  await stage.connect(share());
  const sessions = await Promise.all([stage.begin(), stage.begin()]);
  const streams = sessions.map((session) => stage.haldir.ask('GET', { 'mcp-session-id': session }).answer);
  await eventually(() => expect(streams.map(({ status }) => status)).toEqual([200, 200]));
  await stage.call(sessions[0], 'change');
  await eventually(() => {
    for (const stream of streams)
      expect(messagesIn(stream)).toEqual([{ jsonrpc: '2.0', method: 'notifications/tools/list_changed' }]);
  });
});

it('that asks something is told that nobody answers', async () => {
  await stage.connect(share());
  const session = await stage.begin();
  expect(await stage.call(session, 'ask', { question: 'who?' })).toBe('{"code":-32601,"message":"Method not found"}');
});

it('hands over answers of any length, and says of those that are too deep that they are', async () => {
  stage.haldir.lease.max_part_bytes = 4_096;
  await stage.connect(share());
  const session = await stage.begin();
  expect(await stage.call(session, 'huge', { characters: 100_000 })).toBe('é"'.repeat(50_000));
  for (const { body } of stage.haldir.requestsTo('POST /v1/connectors/up/exchanges/answers'))
    for (const { data } of body['parts'] as { data: string }[])
      expect(Buffer.byteLength(JSON.stringify(data))).toBeLessThanOrEqual(4_096);
  expect(await stage.call(session, 'deep')).toContain('nested too deeply');
});

it('of the revision without sessions is asked without one, and what it says to listeners goes to them', async () => {
  await stage.connect(share('stateless'));
  expect((await stage.post('initialize').whole).status).toBe(400);
  const discovered = await stage.post('server/discover', {}, undefined, STATELESS).whole;
  expect(messagesIn(discovered)[0]).toMatchObject({ result: { supportedVersions: ['2026-07-28'] } });
  const listening = stage.post('subscriptions/listen', {}, undefined, STATELESS);
  await eventually(() => expect(messagesIn(listening.answer)).toHaveLength(1));
  expect(await stage.call(undefined, 'change', {}, STATELESS)).toBe('changed');
  await eventually(() => expect(messagesIn(listening.answer)).toHaveLength(2));
  const ids = messagesIn(listening.answer).map(({ params }) => (params as { _meta: object })._meta);
  expect(ids[0]).toEqual(ids[1]);
  expect(Object.values(ids[0] ?? {})).toEqual([3]);
});

it.each(['silent', 'strict'] as const)(
  'that is %s when it is asked for the revision without sessions is used with one',
  async (revision) => {
    await stage.connect(share(revision, 300));
    expect(messagesIn(await stage.post('server/discover', {}, undefined, STATELESS).whole)[0]).toMatchObject({
      error: { code: -32601 },
    });
    expect(await stage.call(await stage.begin(), 'echo', { text: 'there' })).toBe('there');
  },
);

it('that is slow to come up is spoken to as it was asked first', async () => {
  await stage.connect(share('late', 50));
  expect(await stage.call(undefined, 'echo', { text: 'there' }, STATELESS)).toBe('there');
});

it('refuses what is no message, asks for no session it knows, or for none at all', async () => {
  await stage.connect(share());
  const session = await stage.begin();
  const inSession = { 'mcp-session-id': session };
  for (const body of ['{', '[]', '{"jsonrpc":"2.0"}', '{"jsonrpc":"2.0","id":null,"method":"a"}', null])
    expect((await stage.haldir.ask('POST', inSession, body).whole).status).toBe(400);
  expect((await stage.post('tools/list').whole).status).toBe(400);
  const gone = `${stage.instance}.gone`;
  expect((await stage.post('tools/list', {}, gone).whole).status).toBe(404);
  expect((await stage.haldir.ask('GET', { 'mcp-session-id': gone }).whole).status).toBe(404);
  expect((await stage.haldir.ask('GET').whole).status).toBe(405);
  expect((await stage.haldir.ask('DELETE', inSession).whole).status).toBe(200);
  expect((await stage.haldir.ask('DELETE', { 'mcp-session-id': gone }).whole).status).toBe(404);
});

it('ends with the connector, and what it started too', async () => {
  await stage.connect(share());
  const session = await stage.begin();
  const pids = [await stage.call(session, 'pid'), await stage.call(session, 'spawn')].map(Number);
  expect(pids.map(isAlive)).toEqual([true, true]);
  const open = await Stage.open();
  const closing = stage;
  stage = open;
  await closing.close();
  await eventually(() => expect(pids.map(isAlive)).toEqual([false, false]));
});

it('that does not come up is said', async () => {
  const nothing = { program: process.execPath, args: ['-e', 'process.exit(7)'], env: {} };
  await expect(stage.connect(({ instance, said }) => new SharedServer(nothing, instance, said))).rejects.toThrow(
    'exited with 7',
  );
});

it('that answers once it is given up has not come up', async () => {
  const answer = `{"jsonrpc":"2.0","id":1,"result":{"supportedVersions":["2026-07-28"]}}`;
  const script = `process.stdin.on('end', () => console.log(${JSON.stringify(answer)})).resume()`;
  const late = { program: process.execPath, args: ['-e', script], env: {} };
  const connected = stage.connect(
    ({ instance, said, room }) => new SharedServer(late, instance, said, room, 60_000, 2_000),
  );
  await expect(connected).rejects.toThrow('gives no answer, and exited');
});

it('that hangs when it is started again is given up, and started once more by the next request', async () => {
  const { program, args, env } = stage.command();
  const [server = '', revision = '', file = ''] = args;
  // The second process says nothing, until its input ends.
  const script = `
    const fs = require('node:fs');
    fs.appendFileSync(${JSON.stringify(file)}, 'start\\n');
    const starts = fs.readFileSync(${JSON.stringify(file)}, 'utf8').split('\\n').filter((line) => line === 'start').length;
    if (starts === 2) process.stdin.on('end', () => process.exit(0)).resume();
    else import(${JSON.stringify(server)});
  `;
  const command = { program, args: ['-e', script, 'x', revision, file], env };
  await stage.connect(({ instance, said, room }) => new SharedServer(command, instance, said, room, 200, 4_000));
  const dying = stage.post('tools/call', { name: 'die', arguments: {} }, await stage.begin());
  expect((await dying.whole).failed).toBe('reset');
  await eventually(async () => expect(await stage.begin()).not.toBe(''));
  expect(stage.said.join('\n')).toContain('gives no answer');
  expect(await stage.call(await stage.begin(), 'echo', { text: 'back' })).toBe('back');
});

it('is not asked what nobody waits for any more once it is there', async () => {
  const server = share('stateless')({ instance: stage.instance, said: () => undefined, room: () => null });
  const taken = (id: string, name: string, text: string) => {
    const params = { name, arguments: { text } };
    const body = JSON.stringify({ jsonrpc: '2.0', id: 1, method: 'tools/call', params });
    const asked = { id, deadlineMs: 600_000, method: 'POST', headers: STATELESS, body };
    const answered = new Promise<void>((resolve) => {
      const answers = { add: () => undefined, room: () => null };
      const exchange = new Exchange(asked, answers, 262_144, resolve);
      server.take(exchange);
      if (name === 'remember') exchange.cancel();
    });
    return answered;
  };
  try {
    await Promise.all([taken('a', 'remember', 'a'), taken('b', 'echo', 'b')]);
    expect(stage.seen()).toEqual(['call echo {"text":"b"}']);
  } finally {
    await server.close();
  }
});
