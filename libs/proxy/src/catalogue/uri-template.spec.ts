import { growthOf, LINEAR } from '@haldir/test-support';
import { matchesTemplate } from './uri-template.js';

it.each([
  ['test://template/{id}/data', 'test://template/123/data', true],
  ['test://template/{id}/data', 'test://template/1/2/data', false],
  ['test://template/{id}/data', 'test://template//data', false],
  ['test://template/{id}/data', 'test://template/123/data/more', false],
  ['test://template/{id}', 'other://template/123', false],
  ['file:///{+path}', 'file:///a/b/c.txt', true],
  ['db://t{?q,limit}', 'db://t', true],
  ['db://t{?q,limit}', 'db://t?q=1', true],
  ['db://{table}/{row}', 'db://users/7', true],
  ['db://{table}/{row}', 'db://users', false],
  ['test://fixed', 'test://fixed', false],
])('%s and %s: %s', (template, uri, expected) => {
  expect(matchesTemplate(template, uri)).toBe(expected);
});

it('takes no time that grows faster than what it is given', async () => {
  const template = `a${'{+x}a'.repeat(800)}b`;
  expect(matchesTemplate(template, 'a'.repeat(4_096))).toBe(false);
  expect(await growthOf(4_096, (size) => matchesTemplate(template, 'a'.repeat(size)))).toBeLessThan(LINEAR);
});
