import { type JsonObject } from '@haldir/mcp';
import { type Elicitation } from './mcp-protocol.js';
import { KeptSessions } from './session-places.for-spec.js';
import { type Presenting } from './transport.js';
import {
  cleanUp,
  client,
  handshake,
  type Message,
  ok,
  text,
  upstream,
  type Upstream,
} from './upstream-fixture.for-spec.js';
import { UpstreamQuestions } from './upstream-questions.js';

afterEach(cleanUp);

const ANSWER = { action: 'accept', content: { name: 'Frodo' } };
const QUESTION = { jsonrpc: '2.0', id: 'q1', method: 'elicitation/create', params: { message: 'who?' } };
const REFUSED = { code: -32_601, message: 'Method not found' };

/** Asks in the middle of a call, and answers it with what it was answered. */
async function asking(refusals = 0): Promise<Upstream> {
  let goOn: (said: Message) => void = () => undefined;
  return upstream(
    handshake(async (message, _req, res) => {
      if (message.method !== 'tools/call') {
        if (message.method === undefined && refusals-- > 0) return void res.writeHead(503).end();
        return (goOn(message), void res.writeHead(202).end());
      }
      const said = new Promise<Message>((resolve) => (goOn = resolve));
      res.writeHead(200, { 'content-type': 'text/event-stream' }).write(`data: ${JSON.stringify(QUESTION)}\n\n`);
      const { result, error } = await said;
      return void res.end(`data: ${JSON.stringify(ok(message, text(JSON.stringify(result ?? error))))}\n\n`);
    }),
  );
}

/** A client that answers; what it was asked. */
function human(answer: JsonObject | null = ANSWER): Elicitation & { asked: JsonObject[] } {
  const asked: JsonObject[] = [];
  const ask = async (params: JsonObject): Promise<JsonObject | null> => (asked.push(params), answer);
  return { capability: { form: {} }, endsAt: () => performance.now() + 60_000, askedMs: 0, ask, asked };
}

/** What it was offered at each beginning of a session. */
const declaredTo = ({ seen }: Upstream): unknown[] => {
  const greetings = seen.filter(({ message }) => message.method === 'initialize').map(({ message }) => message.params);
  expect(greetings.map(({ capabilities }) => capabilities)).toEqual(greetings.map(() => ({})));
  return greetings.map(({ _meta: meta }) => meta?.['haldir/elicitation']);
};

describe('what an upstream asks in the middle of a call', () => {
  it('is put to the client of the call, in a session that was begun with that on offer, to those who read it', async () => {
    const server = await asking();
    const elicitation = human();
    const mcp = client(server.url, { sessions: new KeptSessions() });
    const said = await mcp.callTool('a', {}, { session: 'ses_1', elicitation });
    expect(said).toEqual(text(JSON.stringify(ANSWER)));
    expect(elicitation.asked).toEqual([QUESTION.params]);
    expect(declaredTo(server).at(-1)).toEqual({ form: {} });
    expect(declaredTo(server).filter(Boolean)).toHaveLength(1);
  });

  it.each([
    ['by a client that cannot be asked', 'own', undefined],
    ['in a session of everybody', 'shared', human()],
  ] as const)('is refused %s', async (_, whose, elicitation) => {
    const server = await asking();
    const sessions = new KeptSessions();
    sessions.whoseFound = whose;
    const mcp = client(server.url, { sessions });
    const said = await mcp.callTool('a', {}, { session: 'ses_1', ...(elicitation ? { elicitation } : {}) });
    expect(said).toEqual(text(JSON.stringify(REFUSED)));
    expect(elicitation?.asked ?? []).toEqual([]);
    expect(declaredTo(server).filter(Boolean)).toEqual([]);
  });

  it('is answered again where the answer did not arrive', async () => {
    const elicitation = human();
    const mcp = client((await asking(2)).url, { sessions: new KeptSessions() });
    expect(await mcp.callTool('a', {}, { session: 'ses_1', elicitation })).toEqual(text(JSON.stringify(ANSWER)));
    expect(elicitation.asked).toHaveLength(1);
  });

  it('is answered with an error where the client does not answer', async () => {
    const mcp = client((await asking()).url, { sessions: new KeptSessions() });
    const said = await mcp.callTool('a', {}, { session: 'ses_1', elicitation: human(null) });
    expect(JSON.stringify(said)).toContain('-32603');
  });
});

describe('the time of a call', () => {
  it('stands still while its client is asked, by one question or several at once', async () => {
    const answer: ((answer: JsonObject | null) => void)[] = [];
    const endsAt = performance.now() + 300_000;
    const ask = (): Promise<JsonObject | null> => new Promise((resolve) => answer.push(resolve));
    const asked = {
      deadlineAt: performance.now() + 20_000,
      elicitation: { capability: {}, endsAt: () => endsAt, ask },
    };
    const told: JsonObject[] = [];
    const deadlines: number[] = [];
    const questions = new UpstreamQuestions(
      asked as unknown as Presenting,
      async (reply) => told.push(reply) > 0,
      () => deadlines.push(asked.deadlineAt),
    );
    questions.take({ ...QUESTION, id: 1 });
    const [whileAsked = 0] = deadlines;
    const leftMs = whileAsked - endsAt;
    expect(leftMs).toBeGreaterThan(0);
    expect(leftMs).toBeLessThanOrEqual(20_000);
    questions.take({ ...QUESTION, id: 2 });
    answer[0]?.(ANSWER);
    await expect.poll(() => told).toEqual([{ id: 1, result: ANSWER }]);
    expect(deadlines).toEqual([whileAsked]);
    const before = performance.now();
    answer[1]?.(null);
    await expect.poll(() => told).toHaveLength(2);
    expect(told[1]).toMatchObject({ id: 2, error: { code: -32_603 } });
    expect(deadlines).toHaveLength(2);
    expect(asked.deadlineAt).toBeGreaterThanOrEqual(before + leftMs);
    expect(asked.deadlineAt).toBeLessThanOrEqual(performance.now() + leftMs);
  });
});
