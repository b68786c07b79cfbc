import { visibleText } from '@haldir/kernel';
import { visible } from '../../apps/console/src/parts/hidden.js';

it('makes visible what the kernel does, and nothing else', () => {
  for (let code = 0; code < 0x11_0000; code++) {
    if (code >= 0xd800 && code <= 0xdfff) continue;
    const character = String.fromCodePoint(code);
    if (visible(character) !== visibleText(character)) expect([code, visible(character)]).toEqual([code, visibleText(character)]); // prettier-ignore
  }
  expect(visible('a\u200bb\u202e')).toBe('a\\u{200b}b\\u{202e}');
});
