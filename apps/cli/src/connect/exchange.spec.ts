import * as fc from 'fast-check';
import { Exchange, pieces } from './exchange.js';
import { type AnswerPart } from './wire.js';

it('the pieces of a text are it, in characters that are whole and no longer than allowed', () => {
  const text = fc.string({ unit: fc.constantFrom('a', 'é', '😀', '"', '\u0000', '\u2028', '\n') });
  fc.assert(
    fc.property(text, fc.integer({ min: 16, max: 60 }), (whole, maxBytes) => {
      const cut = pieces(whole, maxBytes);
      expect(cut.join('')).toBe(whole);
      for (const piece of cut) {
        expect(Buffer.byteLength(JSON.stringify(piece))).toBeLessThanOrEqual(maxBytes);
        expect(Buffer.from(piece).toString()).toBe(piece);
      }
    }),
  );
});

it('is given up when nothing was said of it in its time, and has the time of any call once something was', () => {
  vi.useFakeTimers();
  try {
    const take = () => {
      const asked = { id: 'x', deadlineMs: 1_000, method: 'POST', headers: {}, body: null };
      return new Exchange(asked, { add: () => undefined, room: () => null }, 16, () => undefined);
    };
    const [silent, busy] = [take(), take()];
    busy.begin(200, {});
    vi.advanceTimersByTime(10_000);
    expect([silent.signal.aborted, busy.signal.aborted]).toEqual([true, false]);
    vi.advanceTimersByTime(880_000);
    busy.write('a');
    vi.advanceTimersByTime(890_000);
    expect(busy.signal.aborted).toBe(false);
    vi.advanceTimersByTime(20_000);
    expect(busy.signal.aborted).toBe(true);
  } finally {
    vi.useRealTimers();
  }
});

it('an answer is counted from 0, has its head once, and is over once', () => {
  const parts: AnswerPart[] = [];
  let over = 0;
  const asked = { id: 'x', deadlineMs: 60_000, method: 'POST', headers: {}, body: null };
  const exchange = new Exchange(asked, { add: (part) => void parts.push(part), room: () => null }, 16, () => over++);
  exchange.begin(200, { a: 'b' });
  exchange.write('0123456789abcdefghij');
  exchange.end();
  exchange.fail('reset');
  exchange.cancel();
  expect(parts).toEqual([
    { id: 'x', seq: 0, status: 200, headers: { a: 'b' }, data: '', last: false },
    { id: 'x', seq: 1, data: '0123456789', last: false },
    { id: 'x', seq: 2, data: 'abcdefghij', last: false },
    { id: 'x', seq: 3, data: '', last: true },
  ]);
  expect([over, exchange.signal.aborted]).toEqual([1, false]);
});
