import { keptOthers, keptTools, toldRefused } from './refused-definitions.js';

it('cuts names of what was refused in no midst of a character, which Postgres could not keep', () => {
  const refused = [{ name: `${'x'.repeat(127)}\u{1f600}`, reason: 'it is odd' }];
  const name = `${'x'.repeat(127)}\ufffd`;
  expect(keptTools(refused)).toEqual({ count: 1, first: [{ name, reason: 'it is odd' }] });
  expect(keptOthers({ resources: refused, templates: [], prompts: [] })).toEqual({
    resources: { count: 1, first: [{ name, reason: 'it is odd' }] },
  });
  expect(toldRefused(refused)).toEqual({ refused: 1, first: `${name}: it is odd` });
});
