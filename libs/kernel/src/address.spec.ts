import { growthOf, LINEAR } from '@haldir/test-support';
import { allForms, normalAddress, plainForms, ruleForms } from './address.js';

const namesAddress = (name: string, forms: readonly string[]): boolean =>
  ruleForms(name).some((form) => forms.includes(form));

it.each([
  ['file:///%65tc/passwd', 'file:///etc/passwd'],
  ['FILE:///etc/passwd', 'file:///etc/passwd'],
  ['file://LocalHost/etc/passwd', 'file:///etc/passwd'],
  ['file:/etc/passwd', 'file:///etc/passwd'],
  ['file:///x/../etc/./passwd', 'file:///etc/passwd'],
  ['file:///x/%2E%2e/etc/passwd', 'file:///etc/passwd'],
  ['file:///../../etc/passwd', 'file:///etc/passwd'],
  ['HTTP://Example.COM:80', 'http://example.com/'],
  ['https://user@Example.com:443/a%2fb?q=%7e#f', 'https://user@example.com/a%2Fb?q=~#f'],
  ['https://example.com:8443/', 'https://example.com:8443/'],
  ['urn:ISBN:123', 'urn:ISBN:123'],
  ['no address', 'no address'],
])('the address %s is %s', (address, normal) => {
  expect(normalAddress(address)).toBe(normal);
  expect(normalAddress(normal)).toBe(normal);
});

it.each([
  'file:///%65tc/passwd',
  'file:///%2565tc/passwd',
  'file:///%252525%36%35tc/passwd',
  'file:///x/%252e%252e/etc/passwd',
  'file:///x%2f..%2fetc/passwd',
  String.raw`file:///x\..\etc\passwd`,
  String.raw`file:\\\etc\passwd`,
  'file:///etc//passwd',
  'file:////etc/passwd',
  'file:///etc/passwd/',
  'file:///etc/passwd?x=1',
  'file:///etc/passwd#x',
  'file:///etc/passwd%00.png',
  'file:///etc/passwd%20',
  'file://localhost/etc/passwd',
])('a rule that refuses file:///etc/passwd means %s', (address) => {
  const forms = allForms(address);
  expect(namesAddress('file:///etc/passwd', forms)).toBe(true);
  expect(namesAddress('file:///%65tc/passwd', forms)).toBe(true);
  expect(
    namesAddress(
      'up.FILE:///etc/./passwd',
      forms.map((form) => `up.${form}`),
    ),
  ).toBe(true);
  expect(namesAddress('file:///etc/group', forms)).toBe(false);
});

it('a rule that allows an address means what is certainly the same', () => {
  expect(plainForms('FILE:///%65tc/passwd')).toContain('file:///etc/passwd');
  for (const other of ['file:///x/../etc/passwd', 'file:///%2565tc/passwd', 'file:///etc/passwd#x'])
    expect(plainForms(other)).not.toContain('file:///etc/passwd');
});

it('an address of any make takes time that grows with its length', async () => {
  for (const piece of ['/', '%25', '%', '../', '\\', '//', '#', '?', 'a:', '%2e'])
    expect([piece, await growthOf(5_000, (size) => allForms(`file:${piece.repeat(size)}`))]).toEqual([
      piece,
      expect.toSatisfy((growth: number) => growth < LINEAR),
    ]);
});
