import { flagsIn, textsIn } from './search.ts';

it('reads what an address says of names, and nothing else of it', () => {
  const search = { upstream: 'up', tool: 5, name_contains: '', other: 'x', drifted: true, add: 'true' };
  expect(textsIn(search, ['upstream', 'tool', 'name_contains'])).toEqual({ upstream: 'up', tool: '5' });
  expect(flagsIn(search, ['drifted', 'add'])).toEqual({ drifted: true });
});
