import { chipsOf, queryOf, readFilter, timeOf } from './filter.ts';

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

it('asks for the minute that a time is in, which is there in the address as UTC', () => {
  const at = timeOf('2026-11-30T14:20');
  expect(at).toBe(`${new Date(2026, 10, 30, 14, 20).toISOString().slice(0, 16)}Z`);
  expect(queryOf({ agent_id: 'my-agent', at: '2026-11-30T14:20Z' })).toEqual({
    ...{ agent_id: 'my-agent', since: '2026-11-30T14:20:00.000Z', until: '2026-11-30T14:20:59.999Z' },
  });
  expect(timeOf('')).toBeNull();
  expect(queryOf({ at: 'noon' })).toEqual({ since: 'noon' });
});
