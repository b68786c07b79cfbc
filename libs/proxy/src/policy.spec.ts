import { amountOf, firstBlock, type Policy, type PolicyRule, rateLimits } from './policy.js';

const policies = (...rules: PolicyRule[]): Policy[] => rules.map((rule, i) => ({ id: `pol_${i}`, rule }));
const subject = (fields: Partial<Parameters<typeof firstBlock>[1]> = {}) => ({
  toolNames: ['echo', 'up.echo'],
  amount: null,
  at: new Date('2026-03-01T12:30:00Z'),
  ...fields,
});
const blocks = (rule: PolicyRule, fields: Parameters<typeof subject>[0] = {}): boolean =>
  firstBlock(policies(rule), subject(fields)) !== null;

describe('the policies of a tenant', () => {
  it('must all let a call through; the first that does not is named', () => {
    const block = firstBlock(
      policies(
        { type: 'allow_list', tools: ['echo'] },
        { type: 'spend_limit', max: 5 },
        { type: 'block_tool', tool: 'up.echo' },
      ),
      subject({ amount: 6 }),
    );
    expect(block).toMatchObject({ policyId: 'pol_1', type: 'spend_limit' });
    expect(firstBlock([], subject())).toBeNull();
  });

  it.each([
    ['echo', true],
    ['up.echo', true],
    ['up', false],
    ['ech', false],
    ['other.echo', false],
    ['ECHO', false],
  ])('mean by %s the tool up.echo: %s', (name, means) => {
    expect(blocks({ type: 'block_tool', tool: name })).toBe(means);
    expect(blocks({ type: 'deny_list', tools: ['x', name] })).toBe(means);
    expect(blocks({ type: 'allow_list', tools: ['x', name] })).toBe(!means);
  });

  it('refuse an amount over the limit, not one at it, below it or absent', () => {
    const limit: PolicyRule = { type: 'spend_limit', max: 0.1 };
    expect([0.1000001, 1, Infinity].map((amount) => blocks(limit, { amount }))).toEqual([true, true, true]);
    expect([0.1, 0, -3, null].map((amount) => blocks(limit, { amount }))).toEqual([false, false, false, false]);
  });

  it('leave rates to whoever counts calls', () => {
    const rules = policies(
      { type: 'rate_limit', maxPerMinute: 0 },
      { type: 'block_tool', tool: 'x' },
      { type: 'rate_limit', maxPerMinute: 7 },
    );
    expect(firstBlock(rules, subject())).toBeNull();
    expect(rateLimits(rules)).toEqual([
      { policyId: 'pol_0', maxPerMinute: 0 },
      { policyId: 'pol_2', maxPerMinute: 7 },
    ]);
  });
});

/** Hours of the day in which a window lets calls through. */
function openHours(startHour: number, endHour: number): number[] {
  const rule: PolicyRule = { type: 'time_window', startHour, endHour };
  return Array.from({ length: 24 }, (_, hour) => hour).filter(
    (hour) =>
      !blocks(rule, { at: new Date(Date.UTC(2026, 2, 1, hour, 0, 0, 0)) }) &&
      !blocks(rule, { at: new Date(Date.UTC(2026, 2, 1, hour, 59, 59, 999)) }),
  );
}

describe('a time window', () => {
  it('holds its first hour and not its last', () => {
    expect(openHours(9, 12)).toEqual([9, 10, 11]);
    expect(openHours(23, 24)).toEqual([23]);
  });

  it('wraps past midnight', () => {
    expect(openHours(22, 6)).toEqual([0, 1, 2, 3, 4, 5, 22, 23]);
    expect(openHours(24, 1)).toEqual([0]);
  });

  it('is the whole day from 0 to 24, and empty when it ends where it starts', () => {
    expect(openHours(0, 24)).toHaveLength(24);
    expect(openHours(7, 7)).toEqual([]);
  });
});

describe('the amount of a call', () => {
  it.each([
    [{ amount: 12.5 }, 12.5],
    [{ amount: '12.5' }, 12.5],
    [{ amount: ' +1e3 ' }, 1000],
    [{ amount: '-.5' }, -0.5],
    [{ amount: '12 USD' }, null],
    [{ amount: '0x10' }, null],
    [{ amount: '' }, null],
    [{ amount: true }, null],
    [{ amount: null }, null],
    [{ amount: [5] }, null],
    [{ amount: { value: 5 } }, null],
    [{}, null],
    [Object.create({ amount: 5 }) as Record<string, unknown>, null],
  ])('of %j is %s', (args, amount) => {
    expect(amountOf(args)).toBe(amount);
  });
});
