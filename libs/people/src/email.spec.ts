import { normalEmail } from './email.js';

it.each([
  ['Alice@Example.COM', 'alice@example.com'],
  ["o'brien+x@mail.example.co.uk", "o'brien+x@mail.example.co.uk"],
  ['root@localhost', 'root@localhost'],
])('%s is kept as %s', (text, kept) => {
  expect(normalEmail(text)).toBe(kept);
});

it.each([
  '',
  'alice',
  '@example.com',
  'alice@',
  'a b@example.com',
  'alice@example..com',
  'alice@example.com\n',
  'аlice@example.com',
  '"a"@example.com',
  'a@b@c',
  `${'a'.repeat(250)}@b.cd`,
])('%j is no address', (text) => {
  expect(normalEmail(text)).toBeNull();
});
