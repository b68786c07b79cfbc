import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import { type AddressInfo } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { StandingStream } from './standing-stream.js';

type Answer = (request: IncomingMessage, response: ServerResponse) => void;

const cleanups: (() => void)[] = [];
afterEach(() => {
  for (const cleanup of cleanups.splice(0)) cleanup();
});

/** A stream to a server that answers so, one after the other, and as the last from then on. */
async function standing(...answers: Answer[]) {
  const asked: IncomingMessage['headers'][] = [];
  const server = createServer((request, response) => {
    asked.push(request.headers);
    answers[Math.min(asked.length, answers.length) - 1]?.(request, response);
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const heard: string[] = [];
  let session = 'one';
  const endpoint = new URL(`http://127.0.0.1:${(server.address() as AddressInfo).port}/mcp`);
  const stream = new StandingStream(
    endpoint,
    () => ({ 'x-session-id': session }),
    (data) => heard.push(data),
  );
  cleanups.push(
    () => stream.end(),
    () => server.closeAllConnections(),
    () => server.close(),
  );
  return { stream, asked, heard, act: (other: string) => void (session = other) };
}

const refuse =
  (status: number): Answer =>
  (_, response) =>
    void response.writeHead(status).end();
const say =
  (text: string, isLast = true): Answer =>
  (_, response) => {
    response.writeHead(200, { 'content-type': 'text/event-stream' }).write(text);
    if (isLast) response.end();
  };
const stay = say(':\n\n', false);
const soon = (check: () => void): Promise<void> => vi.waitFor(check, { timeout: 20_000, interval: 20 });

describe('a standing stream', () => {
  it('that broke is opened anew with the id of what was heard last, whatever was refused in between', async () => {
    const { stream, asked, heard } = await standing(
      say('id: 7\ndata: a\n\n'),
      refuse(503),
      (_, response) => void response.destroy(),
      say('id: 8\ndata: b\n\n', false),
    );
    stream.resume();
    await soon(() => expect(heard).toEqual(['a', 'b']));
    expect(asked.map((headers) => headers['last-event-id'])).toEqual([undefined, '7', '7', '7']);
    expect(asked[0]).toMatchObject({ accept: 'text/event-stream', 'x-session-id': 'one' });
  }, 30_000);

  it.each([
    ['refused', refuse(403)],
    ['not there', refuse(405)],
    ['no stream', (_, response) => void response.end('{}')],
    ['at another address', (_, response) => void response.writeHead(308, { location: '/else' }).end()],
  ] satisfies [string, Answer][])(
    'that is %s is asked for again once a request has come through',
    async (_, answer) => {
      const { stream, asked, heard, act } = await standing(
        say('id: 7\ndata: a\n\n'),
        answer,
        say('data: b\n\n', false),
      );
      stream.resume();
      await soon(() => expect(asked).toHaveLength(2));
      await sleep(2_300);
      expect(asked).toHaveLength(2);
      act('two');
      stream.resume();
      await soon(() => expect(heard).toEqual(['a', 'b']));
      expect(asked.map((headers) => [headers['x-session-id'], headers['last-event-id']])).toEqual([
        ['one', undefined],
        ['one', '7'],
        ['two', '7'],
      ]);
    },
    30_000,
  );

  it('is asked for again where the request came through before its refusal did', async () => {
    let refuseNow = (): void => undefined;
    const { stream, asked } = await standing((_, response) => {
      refuseNow = () => void response.writeHead(405).end();
    }, stay);
    stream.resume();
    await soon(() => expect(asked).toHaveLength(1));
    stream.resume();
    refuseNow();
    await soon(() => expect(asked).toHaveLength(2));
  }, 30_000);

  it('is one, however many requests come through', async () => {
    const { stream, asked, heard } = await standing(say('data: a\n\n', false));
    for (let count = 0; count < 3; count++) stream.resume();
    await soon(() => expect(heard).toEqual(['a']));
    stream.resume();
    await sleep(1_300);
    expect(asked).toHaveLength(1);
  });

  it('ends for good, also while it waits to be opened anew', async () => {
    const { stream, asked } = await standing(refuse(503));
    stream.resume();
    await soon(() => expect(asked).toHaveLength(1));
    stream.end();
    stream.resume();
    await sleep(1_300);
    expect(asked).toHaveLength(1);
  });
});
