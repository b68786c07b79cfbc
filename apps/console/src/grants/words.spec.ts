import { alikeWords } from './words.ts';

const textOf = (names: string[], free: string[]): string =>
  alikeWords({ arguments: names, free_arguments: free })
    .map((word) => (typeof word === 'string' ? word : `<${word.name}>`))
    .join('');

it.each([
  [[], [], 'Calls without arguments'],
  [['to'], [], 'Calls with the same <to>'],
  [['to', 'text', 'cc'], [], 'Calls with the same <to>, <text> and <cc>'],
  [['to', 'text'], ['text'], 'Calls with any <text>, and the same <to>'],
  [['to', 'text'], ['to', 'text'], 'Calls with any <to> and <text>'],
])('of %j, with any of %j: %s', (names, free, words) => expect(textOf(names, free)).toBe(words));
