import { inspect } from 'node:util';
import { decimalOf, JsonNumber, type MicroUsd } from '@haldir/kernel';
import { growthOf, LINEAR } from '@haldir/test-support';
import {
  applying,
  approvalsRequired,
  matches,
  type Policy,
  type PolicyRule,
  type PolicySubject,
  rateLimits,
  toolsNamedBy,
} from './policy.js';
import { type Amount, amountOf } from './amount.js';
import { explain, type FullRates, refusals, type Refusal, refuses } from './policy-refusal.js';

const ALL = { upstreams: [], agents: [], tools: [] };
const policy = (rule: PolicyRule, terms: Partial<Policy> = {}): Policy => ({
  ...{ id: 'pol', mode: 'enforce', scope: ALL, priority: 0, rule },
  ...terms,
});
const policies = (...rules: PolicyRule[]): Policy[] => rules.map((rule, i) => policy(rule, { id: `pol_${i}` }));
const subject = (fields: Partial<PolicySubject> = {}): PolicySubject => ({
  ...{ upstream: 'up', toolNames: ['echo', 'up.echo'], agentId: 'agent' },
  allowedNames: fields.toolNames ?? ['echo', 'up.echo'],
  ...{ amount: null, at: new Date('2026-03-01T12:30:00Z') },
  ...fields,
});
/** Of those policies that refuse the call. */
const refusalsOf = (given: readonly Policy[], call: PolicySubject, full: FullRates = new Map()): Refusal[] =>
  refusals(given.filter((each) => refuses(each, call, full)), call, full); // prettier-ignore
const blocks = (rule: PolicyRule, fields: Partial<PolicySubject> = {}): boolean =>
  refusalsOf(policies(rule), subject(fields)).length > 0;

it('a text of 40,000 digits and a letter is told to be no amount as fast as it is read', async () => {
  const rule: PolicyRule = { type: 'spend_limit', max: 5 };
  const growth = await growthOf(10_000, (size) => {
    for (const amount of [`${'1'.repeat(size)}x`, `${' '.repeat(size)}x`, `1.${'0'.repeat(size)}e`])
      blocks(rule, { amount: amountOf({ amount }) });
  });
  expect(growth).toBeLessThan(LINEAR);
});

describe('the policies of a tenant', () => {
  it('must all let a call through; each that does not is named, in their order', () => {
    const refused = refusalsOf(
      policies(
        { type: 'allow_list', tools: ['echo'] },
        { type: 'spend_limit', max: 5 },
        { type: 'block_tool', tool: 'up.echo' },
        { type: 'rate_limit', maxPerMinute: 2 },
        { type: 'require_approval' },
      ),
      subject({ amount: decimalOf(6) }),
      new Map([['pol_3', null]]),
    );
    expect(refused.map(({ policyId }) => policyId)).toEqual(['pol_1', 'pol_2', 'pol_3']);
    expect(refusalsOf([], subject())).toEqual([]);
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
    const over = ['0.10000000000000000000000001', '1', '1e400', '9007199254740993'];
    for (const amount of over) expect(blocks(limit, { amount: decimalOf(amount) }), amount).toBe(true);
    for (const amount of ['0.1', '0.100', '1e-1', '0', '-3', '0.09999999999999999999999999'])
      expect(blocks(limit, { amount: decimalOf(amount) }), amount).toBe(false);
    expect(blocks(limit)).toBe(false);
  });

  it('refuse an amount that is no plain number, if they limit amounts', () => {
    const limit: PolicyRule = { type: 'spend_limit', max: 5 };
    const written = [
      ...[
        '1e00003',
        '0x3e8',
        '1,000',
        '$1000',
        '１０００',
        '{{vault:big}}',
        '{{!vault:big}}',
        '1000 USD',
        '1_000',
        '',
        ' ',
      ],
      ...[[1000], { value: 1000 }, true, [], new JsonNumber('1e99999'), new JsonNumber('9'.repeat(1_001)), '1e9999'],
    ];
    for (const amount of written) {
      expect(blocks(limit, { amount: amountOf({ amount }) }), inspect(amount)).toBe(true);
      expect(blocks({ type: 'deny_list', tools: [] }, { amount: amountOf({ amount }) })).toBe(false);
    }
    for (const amount of ['5', '+5', ' 5.0 ', '.5', '5.', '5e0', new JsonNumber('5.0'), new JsonNumber('50e-1'), null])
      expect(blocks(limit, { amount: amountOf({ amount }) }), String(amount)).toBe(false);
  });

  it('count what a tool costs with what it is asked to spend', () => {
    const spent = (args: Record<string, unknown>, cents: bigint): Amount =>
      amountOf(args, (cents * 10_000n) as MicroUsd);
    const limit: PolicyRule = { type: 'spend_limit', max: 5 };
    expect(blocks(limit, { amount: spent({}, 501n) })).toBe(true);
    expect(blocks(limit, { amount: spent({}, 500n) })).toBe(false);
    expect(blocks(limit, { amount: spent({ amount: '4.99' }, 2n) })).toBe(true);
    expect(blocks(limit, { amount: spent({ amount: -100 }, 501n) })).toBe(true);
    expect(blocks(limit, { amount: spent({ amount: '1,00' }, 1n) })).toBe(true);
  });

  it('leave rates to whoever counts calls', () => {
    const rules = policies(
      { type: 'rate_limit', maxPerMinute: 0 },
      { type: 'block_tool', tool: 'x' },
      { type: 'rate_limit', maxPerMinute: 7 },
    );
    expect(refusalsOf(rules, subject())).toEqual([]);
    expect(rateLimits(rules)).toEqual([
      { policyId: 'pol_0', maxPerMinute: 0 },
      { policyId: 'pol_2', maxPerMinute: 7 },
    ]);
  });
});

describe('the scope of a policy', () => {
  const applies = (scope: Partial<Policy['scope']>, fields: Partial<PolicySubject> = {}): boolean =>
    applying([policy({ type: 'require_approval' }, { scope: { ...ALL, ...scope } })], subject(fields)).enforced.length >
    0;

  it('is everything when it says nothing, and else what all its lists let in', () => {
    expect(applies({})).toBe(true);
    expect(applies({ upstreams: ['up'], agents: ['agent'], tools: ['echo'] })).toBe(true);
    expect(applies({ upstreams: ['other'], agents: ['agent'], tools: ['echo'] })).toBe(false);
    expect(applies({ upstreams: ['up'], agents: ['other'] })).toBe(false);
    expect(applies({ upstreams: ['up'], tools: ['read', 'write'] })).toBe(false);
    expect(applies({ tools: ['up.e*'] })).toBe(true);
    expect(applies({ tools: ['*.echo'] })).toBe(true);
    expect(applies({ upstreams: ['*'] }, { upstream: null })).toBe(false);
    for (const list of ['upstreams', 'agents', 'tools'] as const)
      for (const names of [
        ['x', list === 'tools' ? 'echo' : list.slice(0, -1)],
        ['*', 'x'],
      ])
        expect(applies({ [list]: names }, { upstream: 'upstream' }), `${list}: ${names.join()}`).toBe(true);
  });

  it.each([
    ['github', 'github', true],
    ['github', 'github2', false],
    ['prod-*', 'prod-', true],
    ['prod-*', 'prod-eu', true],
    ['prod-*', 'my-prod-eu', false],
    ['*.delete_*', 'crm.delete_user', true],
    ['*.delete_*', 'delete_user', false],
    ['*', '', true],
    ['**', 'x', true],
    ['a*b*c', 'a-b-b-c', true],
    ['a*b*c', 'a-c-b', false],
    ['ab*ba', 'aba', false],
    ['a*bc*c', 'abc', false],
    ['a*bc*', 'abc', true],
    ['a*bc*d', 'abcd', true],
    ['a*b*b*c', 'a-b-c', false],
    ['a*bb*b*c', 'abbc', false],
    ['*x', 'Stryker', false],
    ['a*', 'A', false],
    ['a.c', 'abc', false],
    ['a?c', 'abc', false],
  ])('by %s means %s: %s', (pattern, text, expected) => {
    expect(matches(pattern, text)).toBe(expected);
  });

  it('is matched in no time, whatever the pattern', async () => {
    const pattern = `${'*a'.repeat(160)}b`;
    expect(matches(pattern, 'a'.repeat(330))).toBe(false);
    expect(await growthOf(20_000, (size) => matches(pattern, 'a'.repeat(size)))).toBeLessThan(LINEAR);
  });
});

it('a policy names the tools that it blocks or allows by name, and only those of such', () => {
  expect(toolsNamedBy({ type: 'block_tool', tool: 'a' })).toEqual(['a']);
  expect(toolsNamedBy({ type: 'deny_list', tools: ['a', 'b'] })).toEqual(['a', 'b']);
  expect(toolsNamedBy({ type: 'allow_list', tools: ['a'] })).toEqual(['a']);
  for (const rule of [{ type: 'require_approval' }, { type: 'rate_limit', maxPerMinute: 1 }] as PolicyRule[])
    expect(toolsNamedBy(rule)).toBeNull();
});

describe('a policy in log_only mode', () => {
  it('is kept apart from those that are enforced', () => {
    const rules: PolicyRule[] = [{ type: 'block_tool', tool: 'echo' }, { type: 'require_approval' }];
    const { enforced, logOnly } = applying(
      rules.flatMap((rule) => [
        policy(rule, { id: `e_${rule.type}` }),
        policy(rule, { id: `r_${rule.type}`, mode: 'log_only' }),
      ]),
      subject(),
    );
    expect([enforced, logOnly].map((each) => refusalsOf(each, subject()).map(({ policyId }) => policyId))).toEqual([
      ['e_block_tool'],
      ['r_block_tool'],
    ]);
    expect(approvalsRequired(logOnly).map(({ id }) => id)).toEqual(['r_require_approval']);
  });
});

describe('the smallest change that would let a call through', () => {
  const remedy = (rule: PolicyRule, fields: Partial<PolicySubject> = {}, free: Date | null = null): unknown =>
    explain(refusalsOf(policies(rule), subject(fields), new Map([['pol_0', free]]))).explanation[0]?.remedy;

  it.each<[PolicyRule, { amount?: unknown }, Date | null, Record<string, unknown>]>([
    [{ type: 'block_tool', tool: 'echo' }, {}, null, { change: 'remove_policy' }],
    [{ type: 'deny_list', tools: ['x', 'echo', 'up.echo'] }, {}, null, { change: 'remove_tool', tools: ['echo', 'up.echo'] }],
    [{ type: 'allow_list', tools: [] }, {}, null, { change: 'add_tool', tool: 'up.echo' }],
    [{ type: 'spend_limit', max: 5 }, { amount: 12.5 }, null, { change: 'raise', field: 'max', to: 12.5 }],
    [{ type: 'spend_limit', max: 5 }, { amount: 5.0000001 }, null, { change: 'raise', field: 'max', to: 5.000001 }],
    [{ type: 'spend_limit', max: 5 }, { amount: '1e400' }, null, { change: 'remove_policy' }],
    [{ type: 'spend_limit', max: 5 }, { amount: '1,000' }, null, { change: 'remove_policy' }],
    [{ type: 'rate_limit', maxPerMinute: 5 }, {}, new Date(1_500), { change: 'wait', until: 1.5 }],
    [{ type: 'rate_limit', maxPerMinute: 0 }, {}, null, { change: 'raise', field: 'max_per_minute', to: 1 }],
    [{ type: 'time_window', startHour: 22, endHour: 6 }, {}, null, { change: 'wait', until: Date.UTC(2026, 2, 1, 22) / 1000 }],
    [{ type: 'time_window', startHour: 9, endHour: 12 }, {}, null, { change: 'wait', until: Date.UTC(2026, 2, 2, 9) / 1000 }],
    [{ type: 'time_window', startHour: 7, endHour: 7 }, {}, null, { change: 'remove_policy' }],
  ])('is, of %j for a call of %j', (rule, args, free, expected) => {
    expect(remedy(rule, { amount: amountOf(args) }, free)).toEqual({ policy_id: 'pol_0', text: expect.any(String), ...expected });
  }); // prettier-ignore

  it.each<[PolicyRule, unknown, string, string]>([
    [{ type: 'block_tool', tool: 'echo' }, null, 'The tool is blocked', 'Remove the policy, or take the call out of its scope'],
    [{ type: 'deny_list', tools: ['echo', 'up.echo'] }, null, 'The tool is on a deny list', 'Take echo and up.echo off the deny list'],
    [{ type: 'allow_list', tools: [] }, null, 'The tool is not on the allow list', 'Add up.echo to the allow list'],
    [{ type: 'spend_limit', max: 5 }, 6, 'The amount is over the limit of 5 USD per call', 'Raise max to 6, or ask for at most 5 USD'],
    [{ type: 'spend_limit', max: 5 }, '1e400', 'The amount is over the limit of 5 USD per call', 'Ask for at most 5 USD, or remove the policy'],
    [{ type: 'spend_limit', max: 5 }, 'x', 'The amount is no plain number, which a limit of 5 USD per call asks for', 'Write the amount as a plain number, or remove the policy'],
    [{ type: 'rate_limit', maxPerMinute: 0 }, null, 'Rate limit of 0 calls per minute reached', 'Raise max_per_minute to 1'],
    [{ type: 'time_window', startHour: 7, endHour: 7 }, null, 'Calls are allowed from 7 to 7 UTC only', 'The window is empty: remove the policy'],
    [{ type: 'time_window', startHour: 13, endHour: 14 }, null, 'Calls are allowed from 13 to 14 UTC only', 'Wait until 2026-03-01T13:00:00.000Z'],
  ])('of %j for an amount of %j is said in words, with the reason', (rule, amount, reason, text) => {
    const refused = refusalsOf(policies(rule), subject({ amount: amountOf({ amount }) }), new Map([['pol_0', null]]));
    expect(explain(refused).explanation).toEqual([{ policy_id: 'pol_0', policy: rule.type, reason, remedy: expect.objectContaining({ text }) }]);
  }); // prettier-ignore

  it('may be as much as a policy can be given, and no more', () => {
    const limit: PolicyRule = { type: 'spend_limit', max: 5 };
    expect(remedy(limit, { amount: decimalOf('1000000000') })).toMatchObject({ change: 'raise', to: 1_000_000_000 });
    expect(remedy(limit, { amount: decimalOf('1000000000.000001') })).toMatchObject({ change: 'remove_policy' });
  });

  it('is told of every policy that refuses, up to 50, and of how many more there are', () => {
    const many = refusalsOf(policies(...Array<PolicyRule>(53).fill({ type: 'block_tool', tool: 'echo' })), subject());
    expect(explain(many)).toMatchObject({ explanation: { length: 50 }, unexplained: 3 });
    expect(explain(many.slice(0, 50))).not.toHaveProperty('unexplained');
    expect(explain(many.slice(0, 2))).toEqual({ explanation: [expect.anything(), expect.anything()] });
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
