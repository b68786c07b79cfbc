import { matches } from './policy.js';
import { isAllowedBy, isCoveredBy, isMeantBy, type NamedSubject, namesOf, namesOfAddress } from './subject-names.js';

const HASHED = 'up__my_tool_';
let named: NamedSubject;
let file: NamedSubject;
beforeEach(() => {
  named = namesOf('up', 'my.tool', true);
  file = namesOfAddress('up', 'file:///a/b');
});

describe('a tool', () => {
  it('is refused by its own name, with its upstream, and as models call it', () => {
    expect(named.toolNames).toEqual(['my.tool', 'up.my.tool']);
    expect(named.modelNames).toEqual(['up__my_tool', expect.stringMatching(new RegExp(`^${HASHED}[0-9a-f]{8}$`))]);
    for (const name of ['my.tool', 'up.my.tool', 'up__my_tool', ...(named.modelNames ?? [])])
      expect(isMeantBy(name, named), name).toBe(true);
    for (const name of ['my', 'tool', 'other.my.tool', 'my__tool', `${HASHED}00000000`])
      expect(isMeantBy(name, named), name).toBe(false);
  });

  it('is allowed by its own name only where it goes by that, and never as models call it', () => {
    expect(named.allowedNames).toEqual(['my.tool', 'up.my.tool']);
    expect(isAllowedBy(['x', 'my.tool'], named)).toBe(true);
    expect(isAllowedBy(['up__my_tool'], named)).toBe(false);
    const shared = namesOf('up', 'my.tool', false);
    expect(isAllowedBy(['my.tool'], shared)).toBe(false);
    expect(isAllowedBy(['up.my.tool'], shared)).toBe(true);
    expect(isMeantBy('my.tool', shared)).toBe(true);
  });

  it('is in the scope of patterns of its own names, and of those of models that say where the upstream ends', () => {
    const covers = (pattern: string): boolean => isCoveredBy(pattern, named, matches);
    for (const pattern of ['my.*', 'up.*', '*', 'up__*', '*__my_tool', ...(named.modelNames ?? [])])
      expect(covers(pattern), pattern).toBe(true);
    // A hash is found whole, or not at all.
    for (const pattern of ['other.*', 'up_*', '*my_tool', 'other__*', `${HASHED}*`, `*__*${HASHED}*`])
      expect(covers(pattern), pattern).toBe(false);
    expect(isCoveredBy('a__*', { toolNames: ['b'] }, matches)).toBe(false);
  });

  it('that looks like an address is none', () => {
    const tool = namesOf('up', 'file:///a/b', true);
    expect(isMeantBy('file:///a/./b', tool)).toBe(false);
    expect(isAllowedBy(['FILE:///a/b'], tool)).toBe(false);
    expect(isCoveredBy('FILE:///a/*', tool, matches)).toBe(false);
  });
});

describe('an address', () => {
  it('is refused in whatever form it is written, alone or with its upstream', () => {
    expect(file).toMatchObject({ isAddress: true, allowedNames: ['file:///a/b', 'up.file:///a/b'] });
    for (const name of ['file:///a/b', 'up.file:///a/b', 'FILE:///a/b', 'up.file:///a/./b', 'file:///a/x/../b'])
      expect(isMeantBy(name, file), name).toBe(true);
    for (const written of ['file:///a/./b', 'file:///a/%62', 'file:///a/b?x', 'file:///a/b#x', 'file:///a//b/'])
      expect(isMeantBy('file:///a/b', namesOfAddress(null, written)), written).toBe(true);
    for (const name of ['file:///a', 'file:///a/b/c', 'other.file:///a/b', 'up', ''])
      expect(isMeantBy(name, file), name).toBe(false);
  });

  it('has no name with an upstream while it is not known whose it is', () => {
    expect(namesOfAddress(null, 'file:///a/b')).toEqual({
      ...{ isAddress: true, toolNames: ['file:///a/b'], allowedNames: ['file:///a/b'] },
    });
    expect(isMeantBy('up.file:///a/b', namesOfAddress(null, 'file:///a/b'))).toBe(false);
  });

  it('is allowed as it is written, or in another way of writing the same', () => {
    for (const names of [['file:///a/b'], ['up.file:///a/b'], ['x', 'FILE:///a/b'], ['x:y', 'file:///a/%62']])
      expect(isAllowedBy(names, file), String(names)).toBe(true);
    // What resolves to it on one server may be something else on another.
    for (const names of [[], ['file:///a/./b'], ['file:///a/*'], ['file:///a'], ['x'], ['x:y'], ['']])
      expect(isAllowedBy(names, file), String(names)).toBe(false);
    expect(isAllowedBy(['a/b'], { ...file, allowedNames: ['a/b/'] })).toBe(false);
  });

  it('is in the scope of patterns, however they are written', () => {
    const covers = (pattern: string, of = file): boolean => isCoveredBy(pattern, of, matches);
    for (const pattern of ['file:///a/*', 'FILE:///a/*', 'up.file:*', 'file:///x/../a/b', '*'])
      expect(covers(pattern), pattern).toBe(true);
    for (const pattern of ['file:///b/*', 'other.file:*', 'FILE:///b', 'http:*']) expect(covers(pattern)).toBe(false);
    expect(covers('FILE:///a/b', namesOfAddress('up', 'file:///a/b?x'))).toBe(true);
  });
});
