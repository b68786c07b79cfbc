import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { isDestructive } from '@haldir/approvals';
import * as shown from '../../apps/console/src/approvals/destructive.js';

/** The list as it is written in both. */
const listIn = (file: string): string[] => {
  const list = /DESTRUCTIVE_VERBS = \[([^\]]+)\]/.exec(readFileSync(join(import.meta.dirname, '../..', file), 'utf8'));
  return [...String(list?.[1]).matchAll(/'(\w+)'/g)].map(([, verb]) => String(verb));
};

it('is shown of tools that the rule holds, and of no others', () => {
  const verbs = listIn('libs/approvals/src/destructive.ts');
  expect(verbs.length).toBeGreaterThan(10);
  expect(listIn('apps/console/src/approvals/destructive.ts')).toEqual(verbs);
  for (const name of ['pay', 'get_sum', ...verbs.flatMap((verb) => [`${verb}_file`, `bulk${verb.toUpperCase()}`])])
    for (const annotations of [null, {}, { destructiveHint: true }, { destructiveHint: false }])
      expect([name, shown.isDestructive(name, annotations)]).toEqual([name, isDestructive(name, annotations)]);
});
