import { inSentence, readDetails } from './shown-details.ts';

const DIGEST = 'd'.repeat(64);

it('reads the arguments of a call', () => {
  const shown = readDetails('{"upstream":"up","tool":"pay","arguments":{"to":"dana","sum":{"usd":1}}}', DIGEST);
  expect(shown).toEqual({
    rows: [
      { name: 'to', value: 'dana', isText: true },
      { name: 'sum', value: '{\n  "usd": 1\n}', isText: false },
    ],
    ...{ isCall: true, answers: null },
  });
});

it('reads what was answered to the tool, also where there are no arguments', () => {
  const shown = readDetails('{"upstream":"up","tool":"pay","arguments":{},"answers":{"sure":true}}', DIGEST);
  expect(shown).toEqual({ rows: [], isCall: true, answers: '{\n  "sure": true\n}' });
});

const names = (details: string, digest: string | null): string[] | undefined =>
  readDetails(details, digest)?.rows.map(({ name }) => name);

it('reads an object that has no arguments, as of a payment', () => {
  expect(names('{ "amount": 7.5, "currency": "USD" }', DIGEST)).toEqual(['amount', 'currency']);
});

it('reads all that an agent wrote of its own accord, whatever it named it', () => {
  const details = '{"arguments":{"to":"dana"},"to":"eve","usd":90000}';
  expect(names(details, null)).toEqual(['arguments', 'to', 'usd']);
  expect(names(details, DIGEST)).toEqual(['arguments', 'to', 'usd']);
  expect(readDetails('{"tool":"pay","arguments":{"to":"dana"},"answers":1}', null)).toMatchObject({
    ...{ rows: [{ name: 'tool' }, { name: 'arguments' }, { name: 'answers' }], isCall: false, answers: null },
  });
});

it.each([
  ['a text', 'please'],
  ['a list', '[1]'],
  ['a member that is there twice', '{"arguments":{"to":"dana","to":"eve"}}'],
  ['a number that would be rounded', '{"arguments":{"to":12345678901234567890}}'],
  ['a number that is written otherwise', '{"arguments":{"sum":1.0}}'],
  ['what ends too early', '{"arguments":'],
])('leaves %s as it was written', (_, details) => expect(readDetails(details, DIGEST)).toBeNull());

it.each([
  ['{"arguments":{}}', 'without arguments'],
  ['{"arguments":{"a":1,"b":"two"}}', 'with a = 1, b = "two"'],
  ['{"arguments":{"a.b-c":1,"to = dana, usd":2}}', 'with a.b-c = 1, "to = dana, usd" = 2'],
  ['{"arguments":{"a":1,"b":2,"c":3,"d":4}}', 'with 4 arguments'],
  [`{"arguments":{"text":"${'x'.repeat(100)}"}}`, 'with 1 argument'],
])('%s in a sentence is: %s', (details, text) =>
  expect(inSentence(readDetails(details, DIGEST)?.rows ?? [])).toBe(text),
);
