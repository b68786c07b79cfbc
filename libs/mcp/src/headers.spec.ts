import { decodedHeader, headerValue } from './headers.js';

describe('a header field', () => {
  it.each([
    ['plain', 'plain'],
    ['=?base64?w6TDtsO8?=', 'äöü'],
    ['=?base64??=', ''],
    ['=?base64?w6TDtsO8', '=?base64?w6TDtsO8'],
    ['=?base64?%%%?=', null],
    ['=?base64?w6TDtsO8==?=', null],
    ['=?base64?/w==?=', null],
  ])('%s stands for %s', (field, text) => {
    expect(decodedHeader(field)).toBe(text);
  });
});

it.each(['plain', 'with space inside', ' leading', 'trailing ', 'äöü', 'line\nbreak', '=?base64?eA==?=', ''])(
  '%j survives as one',
  (text) => {
    expect(decodedHeader(headerValue(text))).toBe(text);
  },
);
