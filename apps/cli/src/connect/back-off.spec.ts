import { BackOff, pause } from './back-off.js';

it('waits longer each time, up to a limit, at moments that differ', () => {
  const [early, late] = [new BackOff(250, 10_000, () => 0), new BackOff(250, 10_000, () => 1)];
  expect(Array.from({ length: 8 }, () => early.next())).toEqual([125, 250, 500, 1000, 2000, 4000, 5000, 5000]);
  expect(Array.from({ length: 8 }, () => late.next())).toEqual([250, 500, 1000, 2000, 4000, 8000, 10_000, 10_000]);
});

it('begins anew once it has worked', () => {
  const backOff = new BackOff(250, 10_000, () => 1);
  backOff.next();
  backOff.next();
  backOff.reset();
  expect(backOff.next()).toBe(250);
});

it('is over at once when the signal says so', async () => {
  const ending = new AbortController();
  const waiting = pause(3_600_000, ending.signal);
  ending.abort();
  await waiting;
});
