import { breakerPause, EndpointHealth } from './endpoint-health.js';

const at = (seconds: number): Date => new Date(Date.UTC(2026, 0, 1) + seconds * 1000);

/** Tells health of results, one a second; answers at which of them (from 1) the breaker opens, or null. */
function opensAt(health: EndpointHealth, results: string, from = 0): number | null {
  for (const [i, result] of [...results].entries()) {
    if (result === '+') health.succeeded(at(from + i));
    else if (health.failed(at(from + i))) return i + 1;
  }
  return null;
}

describe('the breaker', () => {
  it('opens at the tenth failure in a row', () => {
    expect(opensAt(new EndpointHealth(25), '+++++++++++++++++++++' + '-'.repeat(9))).toBeNull();
    expect(opensAt(new EndpointHealth(25), '-'.repeat(20))).toBe(10);
    expect(opensAt(new EndpointHealth(25), '-'.repeat(9) + '+' + '-'.repeat(20))).not.toBe(10);
  });

  it('opens when seven in ten failed within five minutes, from ten on', () => {
    expect(opensAt(new EndpointHealth(25), '+--+--+---')).toBe(10);
    expect(opensAt(new EndpointHealth(25), '+--+--++--')).toBeNull();
    expect(opensAt(new EndpointHealth(25), '-----')).toBeNull();
  });

  it('forgets what is older than five minutes, and everything when it begins anew', () => {
    const health = new EndpointHealth(25);
    expect(opensAt(health, '+--+--+--')).toBeNull();
    expect(opensAt(health, '-', 400)).toBeNull();

    const renewed = new EndpointHealth(25);
    expect(opensAt(renewed, '-'.repeat(9))).toBeNull();
    renewed.reset();
    expect(opensAt(renewed, '-'.repeat(9))).toBeNull();
  });

  it('stays open for half a minute, then twice as long each time, up to ten minutes', () => {
    const pauses = [0];
    for (let i = 0; i < 7; i++) pauses.push(breakerPause(pauses.at(-1) ?? 0));
    expect(pauses.slice(1)).toEqual([30, 60, 120, 240, 480, 600, 600]);
  });
});

describe('the lanes', () => {
  it('grow with each success up to the most, and halve with each failure down to one', () => {
    const health = new EndpointHealth(6);
    expect(health.lanes).toBe(4);
    for (let i = 0; i < 5; i++) health.succeeded(at(i));
    expect(health.lanes).toBe(6);
    const shrinking = Array.from({ length: 4 }, (_, i) => {
      health.failed(at(10 + i));
      return health.lanes;
    });
    expect(shrinking).toEqual([3, 1, 1, 1]);
    expect(new EndpointHealth(2).lanes).toBe(2);
  });
});
