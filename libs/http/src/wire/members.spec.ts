import { InvalidInput } from '@haldir/kernel';
import { z } from 'zod';
import { foreignMembers, refuseUnknownQuery, warningsOf } from './members.js';

const schema = z.preprocess(
  (body) => body ?? {},
  z.object({
    tool: z.string().nullish(),
    tools: z.array(z.string()).optional(),
    spend_limit: z.number().default(0),
    to: z.string().optional(),
    scope: z.object({ upstreams: z.array(z.string()).optional() }).nullish(),
    grant: z.strictObject({ uses: z.number() }).optional(),
    bindings: z.array(z.object({ upstream: z.string() })).optional(),
    headers: z.record(z.string(), z.string()).nullish(),
    details: z.union([z.string(), z.record(z.string(), z.unknown())]).nullish(),
  }),
);

/** The refusal of a body, or what is foreign in it. */
function lookedAt(body: unknown): unknown {
  try {
    return foreignMembers(schema, body);
  } catch (error) {
    if (!(error instanceof InvalidInput)) throw error;
    return [error.code, error.details['field'], error.details['did_you_mean']];
  }
}

it('a near miss is found in what takes no other members, too', () => {
  expect(lookedAt({ grant: { use: 1 } })).toEqual(['unknown_member', 'grant.use', 'uses']);
});

it.each([
  ['spendLimit', 'spend_limit'],
  ['SPEND_LIMIT', 'spend_limit'],
  ['spend-limit', 'spend_limit'],
  ['spend_limits', 'spend_limit'],
  ['spend_limt', 'spend_limit'],
  ['spend_limiit', 'spend_limit'],
  ['spend_lomit', 'spend_limit'],
  ['spend_ilmit', 'spend_limit'],
  ['Tools', 'tools'],
  ['toolss', 'tools'],
  ['tol', 'tool'],
  ['too', 'tool'],
  ['t', 'to'],
  ['ot', 'to'],
])('%s is a near miss of %s', (sent, meant) => {
  expect(lookedAt({ [sent]: 1 })).toEqual(['unknown_member', sent, meant]);
});

it('a near miss is found wherever it is, but not in maps of free members', () => {
  expect(lookedAt({ scope: { upstream: [] } })).toEqual(['unknown_member', 'scope.upstream', 'upstreams']);
  expect(lookedAt({ bindings: [{ upstream: 'a' }, { upstreem: 'b' }] })).toEqual([
    'unknown_member',
    'bindings.1.upstreem',
    'upstream',
  ]);
  expect(lookedAt({ headers: { Tool: 'x', Header: 'y' }, details: { Spend_Limit: 1 } })).toEqual([]);
});

it('names that are known are no near misses of each other, and what is near nothing is foreign', () => {
  expect(lookedAt({ tool: 'a', tools: ['b'], to: 'c' })).toEqual([]);
  expect(lookedAt({ budget: 5, scope: { agents: [] }, constructor: 1, '': 2 })).toEqual([
    'budget',
    'scope.agents',
    'constructor',
    '',
  ]);
  expect(lookedAt(undefined)).toEqual([]);
});

it('of kinds that a member tells apart, the members of the kind that was sent are known', () => {
  const rule = z.discriminatedUnion('type', [
    z.object({ type: z.literal('cost'), max_usd: z.number() }),
    z.object({ type: z.literal('rapid'), max_actions: z.number() }),
  ]);
  expect(foreignMembers(rule, { type: 'cost', max_usd: 1 })).toEqual([]);
  expect(foreignMembers(rule, { type: 'cost', max_actions: 1 })).toEqual(['max_actions']);
  expect(() => foreignMembers(rule, { typ: 'cost' })).toThrow('did you mean type?');
  expect(() => foreignMembers(rule, { type: 'none', maxUsd: 1 })).toThrow('did you mean max_usd?');
});

it('warnings name a few, shortly and with what is hidden made visible', () => {
  const many = warningsOf(Array.from({ length: 1_000 }, (_, i) => `m${i}`));
  expect([many.length, many.at(-1)]).toEqual([17, '984 more members are not known; ignored']);
  expect(warningsOf(['a\u202eb'])).toEqual(['a\\u{202e}b: no member of this name; ignored']);
  expect(warningsOf(['x'.repeat(100_000)])[0]?.length).toBeLessThan(200);
});

it('a name in a query that nothing knows is refused, with the one that was meant', () => {
  const known = new Set(['session_id', 'limit']);
  expect(() => refuseUnknownQuery(known, { 'session_id[]': 'a' })).toThrow(
    'session_id[]: no parameter of this name; did you mean session_id?',
  );
  expect(() => refuseUnknownQuery(known, { sessionId: 'a' })).toThrow('did you mean session_id?');
  expect(() => refuseUnknownQuery(known, { q: '' })).toThrow('known are session_id, limit');
  expect(() => refuseUnknownQuery(new Set(), { q: '' })).toThrow('none is taken here');
  refuseUnknownQuery(known, { limit: '1' });
});
