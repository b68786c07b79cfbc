import { AnswerQueue } from './answer-queue.js';
import { eventually } from './stage.for-spec.js';
import { Refused, Unavailable } from './connector-api.js';

const part = (id: string, seq: number, data = '', last = false) => ({ id, seq, data, last });
const never = async (): Promise<void> => undefined;

let ending: AbortController;
beforeEach(() => (ending = new AbortController()));
afterEach(() => ending.abort());

/** A queue whose requests wait for the test to answer them. */
function begin(): {
  queue: AnswerQueue;
  sent: string[][];
  answer: (outcome: string[] | Error) => void;
  gone: string[];
} {
  const queue = new AnswerQueue();
  const sent: string[][] = [];
  const gone: string[] = [];
  const waiting: ((outcome: string[] | Error) => void)[] = [];
  const handOver = (parts: readonly string[]): Promise<string[]> => {
    const read = parts.map((json) => JSON.parse(json) as { id: string; failed?: string });
    sent.push(read.map(({ id, failed }) => (failed ? `${id} failed` : id)));
    return new Promise((resolve, reject) =>
      waiting.push((outcome) => (outcome instanceof Error ? reject(outcome) : resolve(outcome))),
    );
  };
  void queue.run(handOver, (id) => void gone.push(id), never, ending.signal);
  return { queue, sent, gone, answer: (outcome) => waiting.shift()?.(outcome) };
}

it('sends at once when it is idle, and together what gathers while a request is under way', async () => {
  const { queue, sent, answer } = begin();
  queue.add(part('a', 0));
  await eventually(() => expect(sent).toEqual([['a']]));
  for (const id of ['b', 'c', 'd']) queue.add(part(id, 0));
  queue.drop('c');
  answer([]);
  await eventually(() => expect(sent).toEqual([['a'], ['b', 'd']]));
});

it('sends no more parts at once than Haldir takes', async () => {
  const { queue, sent, answer } = begin();
  for (let i = 0; i < 300; i++) queue.add(part(`p${i}`, 0));
  await eventually(() => expect(sent).toHaveLength(1));
  answer([]);
  await eventually(() => expect(sent.map(({ length }) => length)).toEqual([256, 44]));
});

it('sends again what could not be sent, before what came since', async () => {
  const { queue, sent, answer } = begin();
  queue.add(part('a', 0));
  await eventually(() => expect(sent).toHaveLength(1));
  queue.add(part('b', 0));
  answer(new Unavailable('away', 1));
  await eventually(() => expect(sent).toEqual([['a'], ['a', 'b']]));
});

it('gives up what is refused for good, says so once, and goes on', async () => {
  const { queue, sent, answer, gone } = begin();
  queue.add(part('a', 0));
  await eventually(() => expect(sent).toHaveLength(1));
  answer(new Refused(400, 'no'));
  await eventually(() => expect(sent).toEqual([['a'], ['a failed']]));
  expect(gone).toEqual(['a']);
  queue.add(part('b', 0));
  answer(new Refused(400, 'no'));
  await eventually(() => expect(sent).toEqual([['a'], ['a failed'], ['b']]));
});

it('gives up one answer that is refused, and none that was sent with it', async () => {
  const { queue, sent, answer, gone } = begin();
  queue.add(part('first', 0));
  await eventually(() => expect(sent).toHaveLength(1));
  for (const [id, seq] of [
    ['a', 0],
    ['bad', 0],
    ['c', 0],
    ['a', 1],
  ] as const)
    queue.add(part(id, seq));
  answer([]);
  const batch = ['a', 'bad', 'c', 'a'];
  await eventually(() => expect(sent).toEqual([['first'], batch]));
  answer(new Refused(400, 'no'));
  await eventually(() => expect(sent.slice(2)).toEqual([['a', 'a']]));
  answer([]);
  await eventually(() => expect(sent.slice(3)).toEqual([['bad']]));
  answer(new Refused(400, 'no'));
  await eventually(() => expect(sent.slice(4)).toEqual([['c']]));
  expect(gone).toEqual(['bad']);
  queue.add(part('d', 0));
  answer([]);
  await eventually(() => expect(sent.slice(5)).toEqual([['bad failed', 'd']]));
});

it('sends no more at once than a request may carry, and has who writes wait where too much does', async () => {
  const { queue, sent, answer } = begin();
  const data = 'x'.repeat(250_000);
  for (let i = 0; i < 40; i++) queue.add(part('a', i, data));
  const room = queue.room();
  expect(room).not.toBeNull();
  let hasRoom = false;
  void room?.then(() => (hasRoom = true));
  for (let i = 0; i < 14; i++) {
    await eventually(() => expect(sent).toHaveLength(i + 1));
    answer([]);
  }
  await eventually(() => expect(sent.flat()).toHaveLength(40));
  expect(Math.max(...sent.map(({ length }) => length))).toBe(3);
  expect([hasRoom, queue.room()]).toEqual([true, null]);
});
