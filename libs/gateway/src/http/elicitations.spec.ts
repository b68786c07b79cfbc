import { type Asking } from './asking.js';
import { Elicitations } from './elicitations.js';
import { type Questions } from './questions.js';

beforeEach(() => void vi.useFakeTimers());
afterEach(() => void vi.useRealTimers());

it('have five minutes together from the first on, however long after its beginning the call asks', async () => {
  const given: number[] = [];
  const questions = {
    canAsk: () => true,
    ask: async (_: Asking, __: unknown, ms: number) => (given.push(ms), null),
  } as unknown as Questions;
  const elicitations = new Elicitations(questions, {} as never, {} as never);
  const asking = { mcpSession: { can: new Set(['form']) } } as unknown as Asking;
  await elicitations.during(asking, async (elicitation) => {
    vi.advanceTimersByTime(240_000);
    await elicitation?.ask({});
    vi.advanceTimersByTime(60_000);
    await elicitation?.ask({});
    expect(elicitation?.endsAt()).toBe(performance.now() + 240_000);
  });
  expect(given).toEqual([300_000, 240_000]);
});
