import { type Tx } from '@haldir/database';
import { type Log } from '@haldir/runtime';
import { keptOthers, keptTools, warnOfRefused } from './refused-definitions.js';

it('cuts names of what was refused in no midst of a character, which Postgres could not keep', () => {
  const refused = [{ name: `${'x'.repeat(127)}\u{1f600}`, reason: 'it is odd' }];
  const name = `${'x'.repeat(127)}\ufffd`;
  expect(keptTools(refused)).toEqual({ count: 1, first: [{ name, reason: 'it is odd' }] });
  expect(keptOthers({ resources: refused, templates: [], prompts: [] })).toEqual({
    resources: { count: 1, first: [{ name, reason: 'it is odd' }] },
  });
  const lines: object[] = [];
  const tx = { onCommit: (then: () => void) => then() } as Tx;
  const log = { warn: (line: object) => lines.push(line) } as unknown as Log;
  const about = { event: 'refused', tenantId: 'ten_1', upstream: 'up' };
  warnOfRefused(tx, log, about, refused);
  warnOfRefused(tx, log, about, []);
  expect(lines).toEqual([{ ...about, refused: 1, first: `${name}: it is odd` }]);
});
