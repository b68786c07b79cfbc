import fc from 'fast-check';
import { bindsTo, fromBindings, inBoth, toBindings } from './secret-binding.js';

const binding = fc.record({ upstream: fc.constantFrom('a', 'b'), tool: fc.constantFrom('*', 'x', 'x.y', 'y') });
const bindings = fc.array(binding, { maxLength: 5 }).map(toBindings);
const uses = ['a', 'b', 'c'].flatMap((upstream) => ['x', 'x.y', 'y', 'z', null].map((tool) => ({ upstream, tool })));

it('are kept in one order, each once, and read as they were written', () => {
  const kept = toBindings([
    { upstream: 'b', tool: 'x.y' },
    { upstream: 'a', tool: '*' },
    { upstream: 'b', tool: 'x.y' },
  ]);
  expect(kept).toEqual(['a.*', 'b.x.y']);
  expect(fromBindings(kept)).toEqual([
    { upstream: 'a', tool: '*' },
    { upstream: 'b', tool: 'x.y' },
  ]);
});

it('bind to what they name and to nothing else', () => {
  const kept = toBindings([
    { upstream: 'a', tool: '*' },
    { upstream: 'b', tool: 'x.y' },
  ]);
  const bound = uses.filter(({ upstream, tool }) => bindsTo(kept, upstream, tool));
  expect(bound).toEqual([
    ...['x', 'x.y', 'y', 'z', null].map((tool) => ({ upstream: 'a', tool })),
    { upstream: 'b', tool: 'x.y' },
  ]);
  expect(uses.some(({ upstream, tool }) => bindsTo([], upstream, tool))).toBe(false);
});

it('of two versions allow together what each of them allows', () => {
  fc.assert(
    fc.property(bindings, bindings, (one, other) => {
      for (const { upstream, tool } of uses) {
        expect(bindsTo(inBoth(one, other), upstream, tool)).toBe(
          bindsTo(one, upstream, tool) && bindsTo(other, upstream, tool),
        );
      }
    }),
  );
});
