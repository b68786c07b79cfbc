import { draftOf, policyOf, TEMPLATES } from './draft.ts';

it('is what the API takes, of what its type needs alone', () => {
  const draft = { ...draftOf(undefined), tool: ' delete_repo ', max: '5', scopeAgents: 'bot-*\n\n my-agent ' };
  expect(policyOf(draft)).toEqual({
    type: 'block_tool',
    tool: 'delete_repo',
    scope: { agents: ['bot-*', 'my-agent'] },
  });
  expect(policyOf({ ...draft, type: 'spend_limit', scopeAgents: '', priority: '7' })).toEqual({
    ...{ type: 'spend_limit', max: 5, priority: 7 },
  });
  expect(policyOf({ ...draft, type: 'rate_limit', perMinute: 'many', scopeAgents: '' })).toEqual({
    type: 'rate_limit',
  });
});

it('begins with a template, or with nothing', () => {
  expect(Object.keys(TEMPLATES)).toHaveLength(3);
  expect(policyOf(draftOf('spending'))).toEqual({ type: 'spend_limit', max: 10 });
  expect(draftOf('constructor')).toEqual(draftOf(undefined));
});
