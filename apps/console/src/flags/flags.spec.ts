import { grouped } from './flags.ts';
import { readFlagsSearch } from './search.ts';

it('groups flags by reason, with who and from when to when', () => {
  const entry = (entry_id: string, agent_id: string, flag_reason: string, timestamp: number) => ({ entry_id, agent_id, flag_reason, timestamp }); // prettier-ignore
  const groups = grouped([
    entry('3', 'a', 'rapid_fire: more than 60 actions within 60 s; high_cost: one action over 5 USD', 30),
    entry('2', 'b', 'high_cost: one action over 5 USD', 20),
    entry('1', 'a', 'high_cost: one action over 5 USD', 10),
    entry('0', 'a', 'words of something else', 5),
  ]);
  expect(groups.map(({ reason, agents, first, last, entries }) => [reason, agents, first, last, entries.length])).toEqual([
    ['rapid_fire', ['a'], 30, 30, 1],
    ['high_cost', ['a', 'b'], 10, 30, 3],
    ['other', ['a'], 5, 5, 1],
  ]);
}); // prettier-ignore

it('reads what an address says, and nothing else of it', () => {
  expect(readFlagsSearch({ agent_id: 7, reason: 'high_cost', days: 30, session_id: 'ses_x' })).toEqual({
    ...{ agent_id: '7', reason: 'high_cost', days: 30 },
  });
  expect(readFlagsSearch({ reason: '<b>', days: 7 })).toEqual({});
});
