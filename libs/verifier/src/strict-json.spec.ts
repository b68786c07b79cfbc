import { parseStrictObject } from './strict-json.js';

it.each(['{}', '{"a":1,"b":{"a":[{"a":2},{"a":3}]}}', '{"a" : [1, "a", "a"], "b":"a"}', '{ "a": { }, "b": 1 }', ' { "a" :"{\\"b\\":1}" , "b":2}', '{"b":"\\\\", "c":"\\"b\\":"}', '{ "a": {"x": 1}, "x": [ {"x": 2} ], "y": 1 }'])('%s is an object', (text) => {
  expect(parseStrictObject(text)).toEqual(JSON.parse(text));
}); // prettier-ignore

it.each([
  ['{"a":1,"a":1}', 'a'],
  ['{"a":1, "b":2, "a":3}', 'a'],
  ['{"x":{"a":1,"a":2}}', 'a'],
  ['{"x":[{"y":"a"},{"a":1,"a":2}]}', 'a'],
  ['{"a":{"b":1},"a":2}', 'a'],
  ['{"a":[],"a":2}', 'a'],
  ['{"a" \r\n\t :1,"a":1}', 'a'],
  ['{"\\u0061":1,"a":1}', 'a'],
  ['{"a\\"b":1,"a\\"b":1}', 'a"b'],
  ['{"b":"\\\\","a":1,"a":1}', 'a'],
  ['{"__proto__":1,"__proto__":2}', '__proto__'],
])('%s is none: a member stands twice', (text, name) => {
  expect(() => parseStrictObject(text)).toThrow(new SyntaxError(`the member ${JSON.stringify(name)} stands twice`));
});

it.each(['null', '[]', '"a"', '1', 'true'])('%s is JSON, and no object', (text) => {
  expect(() => parseStrictObject(text)).toThrow(new SyntaxError('not a JSON object'));
});

it.each(['', '{', '{"a":1}}', "{'a':1}", '{"a":1,}'])('%s is no JSON', (text) => {
  expect(() => parseStrictObject(text)).toThrow(SyntaxError);
});
