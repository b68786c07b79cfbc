import { sentenceOf } from './words.ts';

const said = (policy: Parameters<typeof sentenceOf>[0]): string =>
  sentenceOf(policy)
    .map((word) => (typeof word === 'string' ? word : `*${word.name}*`))
    .join('');

it.each([
  [{ type: 'block_tool', tool: 'delete_repo' }, 'Block tool *delete_repo* everywhere'],
  [{ type: 'deny_list', tools: ['a', 'b', 'c'] }, 'Block tools *a*, *b* and *c* everywhere'],
  [{ type: 'deny_list', tools: [] }, 'Block no tool everywhere'],
  [{ type: 'allow_list', tools: ['up.read'] }, 'Allow no tools but *up.read* everywhere'],
  [{ type: 'allow_list', tools: [] }, 'Allow no tool everywhere'],
  [{ type: 'spend_limit', max: 5 }, 'Block calls that spend more than $5.00 everywhere'],
  [{ type: 'rate_limit', max_per_minute: 1200 }, 'Let each agent make at most 1,200 calls a minute everywhere'],
  [{ type: 'time_window', start_hour: 8, end_hour: 18 }, 'Let calls through from 8:00 to 18:00 UTC only everywhere'],
  [{ type: 'time_window', start_hour: 8, end_hour: 8 }, 'Block calls at any hour everywhere'],
  [{ type: 'require_approval' }, 'Have calls wait for a human everywhere'],
] as const)('%j is said as %j', (policy, sentence) =>
  expect(said(policy as unknown as Parameters<typeof sentenceOf>[0])).toBe(sentence),
);

it('says what it is about, and names stand by themselves', () => {
  const scope = { tools: ['*delete*', 'drop'], upstreams: ['crm'], agents: ['my-agent', 'bot-*'] };
  expect(said({ type: 'require_approval', scope })).toBe(
    'Have calls wait for a human, for tools **delete** or *drop*, at upstream *crm*, by agent *my-agent* or *bot-**',
  );
  expect(sentenceOf({ type: 'block_tool', tool: ' everywhere' })[1]).toEqual({ name: ' everywhere' });
});
