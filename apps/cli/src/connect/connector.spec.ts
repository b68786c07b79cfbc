import { LeaseLost, Refused, Unavailable } from './connector-api.js';
import { type LocalServer } from './connector.js';
import { type Exchange } from './exchange.js';
import { eventually, Stage } from './stage.for-spec.js';

let stage: Stage;
let taken: Exchange[];
beforeEach(async () => {
  stage = await Stage.open();
  taken = [];
});
afterEach(() => stage.close());

/** A server that leaves what it was asked to the test. */
const hold =
  (perSession = false) =>
  (): LocalServer => ({
    perSession,
    prepare: async () => undefined,
    take: (exchange) => void taken.push(exchange),
    close: async () => undefined,
    kill: () => undefined,
  });
const ECHO = (): LocalServer => ({
  ...hold()(),
  take: (exchange) => exchange.answer(200, { 'content-type': 'text/plain' }, exchange.body ?? ''),
});
const PLACE = '/v1/connectors/up';

it('takes a lease, says what it is, keeps it, and gives it back', async () => {
  stage.haldir.lease.heartbeat_seconds = 0.05;
  await stage.connect(hold(true));
  const body = { instance: stage.instance, per_session: true, version: expect.any(String) as string };
  await eventually(() => expect(stage.haldir.requestsTo(`PUT ${PLACE}/lease`).length).toBeGreaterThan(2));
  for (const request of stage.haldir.requestsTo(`PUT ${PLACE}/lease`)) expect(request.body).toEqual(body);
  const { haldir } = stage;
  stage.end();
  await stage.running;
  expect(haldir.requests.at(-1)).toEqual({
    method: 'DELETE',
    url: `${PLACE}/lease`,
    body: { instance: stage.instance },
  });
});

it('answers what it is asked, many at once, each once and in its order', async () => {
  await stage.connect(ECHO);
  const asked = Array.from({ length: 200 }, (_, i) => stage.haldir.ask('POST', {}, `body ${i}`));
  const answers = await Promise.all(asked.map(({ whole }) => whole));
  expect(answers.map(({ body }) => body)).toEqual(asked.map((_, i) => `body ${i}`));
  const posts = stage.haldir.requestsTo(`POST ${PLACE}/exchanges/answers`);
  const parts = posts.flatMap(({ body }) => body['parts'] as { id: string; seq: number }[]);
  expect(parts).toHaveLength(200);
  expect(posts.length).toBeLessThan(200);
});

it('claims with two requests, and not more than it can have under way', async () => {
  await stage.connect(hold());
  for (let i = 0; i < 300; i++) stage.haldir.ask('POST', {}, String(i));
  await eventually(() => expect(taken).toHaveLength(256));
  const max = stage.haldir.requestsTo(`POST ${PLACE}/exchanges/claim`).map(({ body }) => Number(body['max']));
  expect(Math.max(...max)).toBe(32);
  expect(stage.haldir.waitingClaims).toBeLessThanOrEqual(2);
  taken[0]?.answer(200);
  await eventually(() => expect(taken).toHaveLength(257));
});

it('takes the lease again when it was lost, as the same instance', async () => {
  const lost = { status: 409, body: { error: 'no lease', code: 'lease_lost' }, times: 2 };
  stage.haldir.refusals.set(`POST ${PLACE}/exchanges/claim`, lost);
  await stage.connect(ECHO);
  expect((await stage.haldir.ask('POST', {}, 'x').whole).body).toBe('x');
  expect(stage.haldir.requestsTo(`PUT ${PLACE}/lease`).length).toBeGreaterThan(1);
});

it('goes on through failures of Haldir, hands the same parts over again, and says once that it is gone', async () => {
  await stage.connect(ECHO);
  stage.haldir.refusals.set(`POST ${PLACE}/exchanges`, { status: 503, body: { error: 'busy' }, times: 4 });
  expect((await stage.haldir.ask('POST', {}, 'x').whole).body).toBe('x');
  await eventually(() => expect(stage.said).toContain(`connected to ${stage.haldir.url.origin}`));
  expect(stage.said.filter((line) => line.endsWith('trying again')).length).toBeLessThanOrEqual(1);
});

it('is not cut off where as many of its claims wait as may', async () => {
  const refusal = { status: 429, body: { error: 'As many claims wait', code: 'too_many_claims' }, times: 3 };
  stage.haldir.refusals.set(`POST ${PLACE}/exchanges/claim`, refusal);
  await stage.connect(ECHO);
  expect((await stage.haldir.ask('POST', {}, 'x').whole).body).toBe('x');
  expect(stage.said.filter((line) => line.endsWith('trying again'))).toEqual([]);
});

it('forgets what nobody waits for, whoever says so', async () => {
  await stage.connect(hold());
  const [one, two] = [stage.haldir.ask('POST', {}, '1'), stage.haldir.ask('POST', {}, '2')];
  await eventually(() => expect(taken).toHaveLength(2));
  one.cancel();
  await eventually(() => expect(taken[0]?.signal.aborted).toBe(true));
  taken[0]?.answer(200, {}, 'late');
  stage.haldir.forget(two.id);
  taken[1]?.begin(200, {});
  await eventually(() => expect(taken[1]?.signal.aborted).toBe(true));
  taken[1]?.write('late');
  const three = stage.haldir.ask('POST', {}, '3');
  await eventually(() => expect(taken).toHaveLength(3));
  taken[2]?.answer(200);
  await three.whole;
  const posts = stage.haldir.requestsTo(`POST ${PLACE}/exchanges/answers`);
  const ids = posts.flatMap(({ body }) => (body['parts'] as { id: string }[]).map(({ id }) => id));
  expect(ids).toEqual([two.id, three.id]);
});

it.each([
  [401, 'PUT'],
  [403, 'POST'],
  [409, 'PUT'],
])('ends when it is refused with %i', async (status, method) => {
  stage.haldir.refusals.set(`${method} ${PLACE}`, { status, body: { error: 'no, and why' }, times: 1000 });
  await stage.connect(hold());
  await expect(stage.running).rejects.toEqual(new Refused(status, 'no, and why'));
});

it('tells apart what may be tried again, what needs a lease, and what is final', async () => {
  const { signal } = new AbortController();
  const api = stage.api();
  const say = (status: number) => stage.haldir.refusals.set(`POST ${PLACE}`, { status, times: 1 });
  for (const [status, error] of [
    [503, Unavailable],
    [429, Unavailable],
    [409, LeaseLost],
    [400, Refused],
  ] as const) {
    say(status);
    await expect(api.answer([], signal)).rejects.toBeInstanceOf(error);
  }
  await expect(stage.api('other').claim(1, 1, signal)).rejects.toMatchObject({ status: 401 });
  await stage.haldir.stop();
  await expect(api.claim(1, 1, signal)).rejects.toBeInstanceOf(Unavailable);
});
