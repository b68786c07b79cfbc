import { setTimeout as sleep } from 'node:timers/promises';
import { type JsonObject } from '@haldir/mcp';
import { type ClientElicitation } from '../mcp-client/index.js';
import { NotedElicitation } from './noted-elicitation.js';

const ANSWER = { action: 'accept' };
let asked: JsonObject[];
let notes: { answers: JsonObject[]; approvalId: string | null };
beforeEach(() => {
  asked = [];
  notes = { answers: [], approvalId: null };
});

const elicitation = (answer: () => Promise<JsonObject | null> = async () => ANSWER): NotedElicitation => {
  const client: ClientElicitation = {
    ...{ capability: { form: {} }, endsAt: () => 7 },
    ask: (params) => (asked.push(params), answer()),
  };
  return new NotedElicitation(client, notes);
};

it('notes what was answered, and nothing where there was no answer', async () => {
  const noted = elicitation();
  expect([noted.capability, noted.endsAt()]).toEqual([{ form: {} }, 7]);
  expect(await noted.ask({ message: 'who?' })).toEqual(ANSWER);
  expect(await elicitation(async () => null).ask({})).toBeNull();
  expect(notes.answers).toEqual([ANSWER]);
  expect(asked).toEqual([{ message: 'who?' }, {}]);
});

it('asks nothing in a call that somebody has approved', async () => {
  const noted = elicitation();
  notes.approvalId = 'req_1';
  expect(await noted.ask({ message: 'how much?' })).toBeNull();
  expect([asked, notes.answers, noted.askedMs]).toEqual([[], [], 0]);
});

it('knows how long the client took, questions at once counted once, and what failed too', async () => {
  const before = performance.now();
  const noted = elicitation(() => sleep(30, ANSWER));
  await Promise.all([noted.ask({}), noted.ask({}), noted.ask({})]);
  const { askedMs } = noted;
  expect(askedMs).toBeGreaterThanOrEqual(29);
  expect(askedMs).toBeLessThanOrEqual(performance.now() - before);
  await sleep(5);
  expect(noted.askedMs).toBe(askedMs);
  const failing = elicitation(() => Promise.reject(new Error('gone')));
  await expect(failing.ask({})).rejects.toThrow('gone');
  expect(failing.askedMs).toBeLessThan(1_000);
});
