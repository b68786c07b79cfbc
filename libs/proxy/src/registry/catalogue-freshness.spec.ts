import { type ToolTarget } from '../catalogue/tool-target.repository.js';
import { UpstreamUnreachable } from '../mcp-client/index.js';
import { CatalogueFreshness } from './catalogue-freshness.js';

type Answer = UpstreamUnreachable | null;

/** Questions in the order they were asked; each is answered by the test. */
let questions: { of: string; answer: (answer: Answer) => void; fail: (error: Error) => void }[];
let freshness: CatalogueFreshness;
beforeEach(() => {
  questions = [];
  const health = {
    confirm: (tenantId: string, name: string) =>
      new Promise<Answer>((answer, fail) => questions.push({ of: `${tenantId}/${name}`, answer, fail })),
  };
  const clock = { now: () => new Date('2026-11-30T12:00:00.000Z') };
  freshness = new CatalogueFreshness(
    ...([health, clock] as unknown as ConstructorParameters<typeof CatalogueFreshness>),
  );
});

const target = (more: Partial<ToolTarget> = {}): ToolTarget =>
  ({ tenantId: 'ten_1', name: 'up', confirmedAt: null, toolsMaxAgeSeconds: 20, ...more }) as ToolTarget;
/** A call that arrived so long ago, and waits for good. */
const confirm = (of = target(), ago = 0, more: { deadlineMs?: number; signal?: AbortSignal } = {}): Promise<Answer> =>
  freshness.confirm(of, { arrivedAt: performance.now() - ago, deadlineMs: 60_000, ...more });
const answered = (nth: number): Promise<void> => {
  questions[nth]?.answer(null);
  return new Promise((resolve) => setImmediate(resolve));
};

describe('a list is fresh', () => {
  it.each([
    [null, 20, false],
    ['2026-11-30T11:59:40.001Z', 20, true],
    ['2026-11-30T11:59:40.000Z', 20, false],
    ['2026-11-30T12:00:00.000Z', 0, false],
  ])('that was confirmed at %s and may be %i seconds old: %s', (confirmedAt, toolsMaxAgeSeconds, expected) => {
    const at = confirmedAt === null ? null : new Date(confirmedAt);
    expect(freshness.isFresh(target({ confirmedAt: at, toolsMaxAgeSeconds }))).toBe(expected);
  });
});

describe('calls that need to know', () => {
  it('share the question that is under way where it is young enough, each upstream of each tenant its own', async () => {
    const calls = [confirm(), confirm(), confirm(target({ name: 'other' })), confirm(target({ tenantId: 'ten_2' }))];
    expect(questions.map(({ of }) => of)).toEqual(['ten_1/up', 'ten_1/other', 'ten_2/up']);
    for (const { answer } of questions) answer(null);
    expect(await Promise.all(calls)).toEqual([null, null, null, null]);
  });

  it('that arrived after it was asked, and may take nothing older, share the one after it', async () => {
    const strict = target({ toolsMaxAgeSeconds: 0 });
    const first = confirm(strict);
    const later = [confirm(strict, -1), confirm(strict, -1)];
    expect(questions).toHaveLength(1);
    await answered(0);
    expect(await first).toBeNull();
    expect(questions).toHaveLength(2);
    await answered(1);
    expect(await Promise.all(later)).toEqual([null, null]);
  });

  it('ask anew once a question is answered, and once one has failed', async () => {
    const first = confirm();
    await answered(0);
    await first;
    const failing = confirm();
    questions[1]?.fail(new Error('the database is away'));
    await expect(failing).rejects.toThrow('the database is away');
    void confirm();
    expect(questions).toHaveLength(3);
  });

  it('are told that the upstream is not there by what it was', async () => {
    const gone = new UpstreamUnreachable('connect');
    const call = confirm();
    questions[0]?.answer(gone);
    expect(await call).toBe(gone);
  });

  it('wait no longer than their time or signal, as calls that were not sent; the question goes on for others', async () => {
    const signal = AbortSignal.abort();
    const [late, left] = [confirm(target(), 1_000, { deadlineMs: 500 }), confirm(target(), 0, { signal })];
    const other = confirm();
    expect(await late).toMatchObject({ reason: 'timeout', sent: false });
    expect(await left).toMatchObject({ reason: 'aborted', sent: false });
    expect(questions).toHaveLength(1);
    await answered(0);
    expect(await other).toBeNull();
  });
});
