import { canonicalJson, findUnstorable } from './json.js';
import { JsonNumber } from './json-number.js';

it('is canonical as RFC 8785 shows', () => {
  const value = {
    numbers: [333333333.33333329, 1e30, 4.5, 2e-3, 0.000000000000000000000000001],
    string: '€$\u000f\nA\'B"\\\\"/',
    literals: [null, true, false],
  };
  expect(canonicalJson(value)).toBe(
    '{"literals":[null,true,false],"numbers":[333333333.3333333,1e+30,4.5,0.002,1e-27],"string":"€$\\u000f\\nA\'B\\"\\\\\\\\\\"/"}',
  );
  expect(canonicalJson({ '\u20ac': 1, '\r': 2, '1': 3, '\ufb33': 4, '\u0080': 5 })).toBe(
    '{"\\r":2,"1":3,"\u0080":5,"\u20ac":1,"\ufb33":4}',
  );
});

it('has exact numbers as they came, and every other as before', () => {
  expect(canonicalJson({ b: [new JsonNumber('1.0'), 1, 1e21], a: new JsonNumber('9007199254740993') })).toBe(
    '{"a":9007199254740993,"b":[1.0,1,1e+21]}',
  );
});

it('refuses what has no canonical form', () => {
  expect(() => canonicalJson(Infinity)).toThrow();
  expect(() => canonicalJson('\ud800')).toThrow();
});

it('names where what Postgres cannot keep is', () => {
  expect(findUnstorable({ a: { b: ['ok', 'x\0'] } })).toBe('a.b.1');
  expect(findUnstorable({ a: '\udc00' })).toBe('a');
  expect(findUnstorable({ ['\0']: 1 })).toBe('body');
  expect(findUnstorable({ a: { '<b>': { c: '\0' } } })).toBe('a');
  expect(findUnstorable({ ['x'.repeat(65)]: ['\0'] })).toBe('body');
  expect(findUnstorable({ a: '😀', b: [1, null, true], c: new JsonNumber('1e400') })).toBeNull();
});
