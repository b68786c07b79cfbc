import { inSentence, readDetails } from './shown-details.ts';

it('reads the arguments of a call', () => {
  const shown = readDetails('{"upstream":"up","tool":"pay","arguments":{"to":"dana","sum":{"usd":1}}}');
  expect(shown).toEqual({
    rows: [
      { name: 'to', value: 'dana', isText: true },
      { name: 'sum', value: '{\n  "usd": 1\n}', isText: false },
    ],
    ...{ upstream: 'up', tool: 'pay', answers: null },
  });
});

it('reads an object that has no arguments, as of a payment', () => {
  expect(readDetails('{ "amount": 7.5, "currency": "USD" }')?.rows.map(({ name }) => name)).toEqual(['amount', 'currency']); // prettier-ignore
});

it.each([
  ['a text', 'please'],
  ['a list', '[1]'],
  ['a member that is there twice', '{"arguments":{"to":"dana","to":"eve"}}'],
  ['a number that would be rounded', '{"arguments":{"to":12345678901234567890}}'],
  ['a number that is written otherwise', '{"arguments":{"sum":1.0}}'],
  ['what ends too early', '{"arguments":'],
])('leaves %s as it was written', (_, details) => expect(readDetails(details)).toBeNull());

it.each([
  ['{"arguments":{}}', 'without arguments'],
  ['{"arguments":{"a":1,"b":"two"}}', 'with a = 1, b = "two"'],
  ['{"arguments":{"a":1,"b":2,"c":3,"d":4}}', 'with 4 arguments'],
  [`{"arguments":{"text":"${'x'.repeat(100)}"}}`, 'with 1 argument'],
])('%s in a sentence is: %s', (details, text) => expect(inSentence(readDetails(details)?.rows ?? [])).toBe(text));
