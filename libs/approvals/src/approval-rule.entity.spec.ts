import { microUsd } from '@haldir/kernel';
import { ApprovalRule } from './approval-rule.entity.js';
import { DESTRUCTIVE_VERBS, isDestructive } from './destructive.js';

const rule = (fields: Partial<ApprovalRule>): ApprovalRule =>
  Object.assign(new ApprovalRule(), { threshold: null, tools: null }, fields);
const subject = (fields: Partial<Parameters<ApprovalRule['holdsBack']>[0]> = {}) => ({
  amount: null,
  toolNames: ['echo', 'everything.echo'],
  destructive: false,
  ...fields,
});

describe('an approval rule', () => {
  it('of type all holds everything back', () => {
    expect(rule({ type: 'all' }).holdsBack(subject())).not.toBeNull();
  });

  it('of type spend_over holds back what exceeds the threshold, and nothing at it or without an amount', () => {
    const over = rule({ type: 'spend_over', threshold: microUsd(100) });

    expect(over.holdsBack(subject({ amount: microUsd(100.000001) }))).not.toBeNull();
    expect(over.holdsBack(subject({ amount: microUsd(100) }))).toBeNull();
    expect(over.holdsBack(subject())).toBeNull();
  });

  it.each([['echo'], ['everything.echo']])('of type tool_blocked means a tool by the name %s', (name) => {
    expect(rule({ type: 'tool_blocked', tools: [name] }).holdsBack(subject())).not.toBeNull();
  });

  it('of type tool_blocked leaves other tools alone', () => {
    expect(rule({ type: 'tool_blocked', tools: ['ech', 'other.echo'] }).holdsBack(subject())).toBeNull();
  });

  it('of type destructive holds back destructive tools only', () => {
    expect(rule({ type: 'destructive' }).holdsBack(subject({ destructive: true }))).not.toBeNull();
    expect(rule({ type: 'destructive' }).holdsBack(subject())).toBeNull();
  });
});

describe('a destructive tool', () => {
  it.each(DESTRUCTIVE_VERBS)('is one whose name contains %s', (verb) => {
    expect(isDestructive(`${verb}_file`)).toBe(true);
    expect(isDestructive(`bulk${verb.toUpperCase()}All`)).toBe(true);
  });

  it('is one whose annotation says so', () => {
    expect(isDestructive('tidy', { destructiveHint: true })).toBe(true);
    expect(isDestructive('tidy', { destructiveHint: false })).toBe(false);
    expect(isDestructive('get_sum')).toBe(false);
  });
});
