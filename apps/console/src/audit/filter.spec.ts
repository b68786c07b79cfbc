import { chipsOf, queryOf, readFilter } from './filter.ts';

it('reads what an address says of filters, and nothing else of it', () => {
  expect(readFilter({ tool: 'up.pay', agent_id: 5, flagged: true, session_id: 'ses_x', entry: 'aud_1', tool_contains: {} })).toEqual({
    ...{ tool: 'up.pay', agent_id: '5', flagged: true, entry: 'aud_1' },
  }); // prettier-ignore
});

it('asks the API for all but the entry that is open', () => {
  expect(queryOf({ tool: 'up.pay', flagged: false, entry: 'aud_1' })).toEqual({ tool: 'up.pay', flagged: 'false' });
});

it('has a chip for each filter, which takes it away', () => {
  expect(chipsOf({ tool: 'up.pay', flagged: true })).toEqual([
    { text: 'Tool: up.pay', without: { flagged: true } },
    { text: 'Flagged', without: { tool: 'up.pay' } },
  ]);
});
