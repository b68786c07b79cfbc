import * as api from '../../libs/approvals/src/destructive.js';
import * as shown from '../../apps/console/src/approvals/destructive.js';

it('is shown of tools that the rule holds, and of no others', () => {
  expect(shown.DESTRUCTIVE_VERBS).toEqual(api.DESTRUCTIVE_VERBS);
  const names = ['pay', 'get_sum', ...api.DESTRUCTIVE_VERBS.flatMap((verb) => [`${verb}_file`, `bulk${verb.toUpperCase()}`])];
  for (const name of names)
    for (const annotations of [undefined, null, {}, { destructiveHint: true }, { destructiveHint: false }])
      expect([name, shown.isDestructive(name, annotations)]).toEqual([name, api.isDestructive(name, annotations)]);
}); // prettier-ignore
