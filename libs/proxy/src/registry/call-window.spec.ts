import { type CallSign, CallWindow, signOf } from './call-window.js';

const after = (signs: CallSign[], everyMs = 100): unknown[] => {
  const window = new CallWindow();
  return signs.map((sign, i) => window.add(sign, i * everyMs));
};
const many = (count: number, sign: CallSign): CallSign[] => Array<CallSign>(count).fill(sign);

describe('the last calls of an upstream', () => {
  it('open its circuit once half of ten have failed', () => {
    expect(after(many(10, 'bad'))).toEqual([...Array(9).fill(null), 'errors']);
    expect(after([...many(5, 'good'), ...many(5, 'bad')]).at(-1)).toBe('errors');
    expect(after([...many(6, 'good'), ...many(4, 'bad')]).at(-1)).toBeNull();
  });

  it('open it once four of five were slow, failures included', () => {
    expect(after(many(10, 'slow')).at(-1)).toBe('slowness');
    expect(after([...many(2, 'good'), ...many(5, 'slow'), ...many(3, 'bad')]).at(-1)).toBe('slowness');
    expect(after([...many(3, 'good'), ...many(7, 'slow')]).at(-1)).toBeNull();
  });

  it('are the last twenty, and no older than half a minute', () => {
    expect(after([...many(40, 'good'), ...many(9, 'bad')]).at(-1)).toBeNull();
    expect(after([...many(40, 'good'), ...many(10, 'bad')]).at(-1)).toBe('errors');
    expect(after(many(30, 'bad'), 4_000)).toEqual(Array(30).fill(null));
  });

  it('are counted anew once they have opened it', () => {
    expect(after(many(19, 'bad')).filter((reason) => reason !== null)).toHaveLength(1);
    expect(after(many(20, 'bad')).filter((reason) => reason !== null)).toHaveLength(2);
  });

  it('that tell nothing of it are not counted', () => {
    expect(after([...many(9, 'bad'), ...many(30, 'none')]).every((reason) => reason === null)).toBe(true);
  });
});

it.each([
  [null, 100, 'good'],
  [null, 801, 'slow'],
  ['timeout', 1000, 'bad'],
  ['connect', 1, 'bad'],
  ['http_status', 1, 'bad'],
  ['aborted', 1000, 'none'],
  ['busy', 1000, 'none'],
  ['too_large', 1, 'none'],
  ['unauthorized', 1, 'none'],
  ['credentials', 1, 'none'],
] as const)('a call that came to %s in %i ms of a second is %s', (reason, tookMs, sign) => {
  expect(signOf(reason, tookMs, 1000)).toBe(sign);
});
