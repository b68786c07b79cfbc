import fc from 'fast-check';
import { fingerprintOf, type ListedDefinition } from './tool-definition.js';
import { comparePins, digestOfPins, type Pin, pinsAfter } from './tool-pins.js';

type List = Readonly<Record<string, number>>;

const NAMES = ['a', 'b', 'c'];
const define = (name: string, version: number): ListedDefinition => {
  const tool = { name, description: `version ${version}`, inputSchema: {} };
  return { tool, fingerprint: fingerprintOf(tool) };
};
const listOf = (list: List): ListedDefinition[] => Object.entries(list).map(([name, version]) => define(name, version));

/** What the simplest bookkeeping says: the first version of a name is pinned for good. */
class Model {
  readonly first = new Map<string, number>();
  held: Record<string, number> = {};
  callable: Record<string, number> = {};

  see(list: List): string[] {
    const announced: string[] = [];
    const [held, callable]: [Record<string, number>, Record<string, number>] = [{}, {}];
    for (const [name, version] of Object.entries(list)) {
      const first = this.first.get(name) ?? version;
      this.first.set(name, first);
      if (first === version) callable[name] = version;
      else {
        held[name] = version;
        if (this.held[name] !== version) announced.push(name);
      }
    }
    [this.held, this.callable] = [held, callable];
    return announced;
  }
}

describe('the pins of a registration', () => {
  it('are, after any lists, what the simplest bookkeeping says', () => {
    const list = fc
      .uniqueArray(fc.tuple(fc.constantFrom(...NAMES), fc.integer({ min: 1, max: 3 })), { selector: ([name]) => name })
      .map((tools) => Object.fromEntries(tools));
    fc.assert(
      fc.property(fc.array(list, { maxLength: 8 }), (lists) => {
        const model = new Model();
        let pins: Pin[] = [];
        for (const next of lists) {
          const before = digestOfPins(pins);
          const callableBefore = JSON.stringify([model.callable, Object.keys(model.held)]);
          const changes = comparePins(pins, listOf(next));
          pins = pinsAfter(pins, changes);
          expect(changes.drifted.map(({ tool }) => tool.name)).toEqual(model.see(next));
          const there = pins.filter(({ gone }) => !gone);
          const names = (found: Pin[]): string[] => found.map(({ name }) => name).sort();
          expect(names(there.filter(({ pending }) => !pending))).toEqual(Object.keys(model.callable).sort());
          expect(names(there.filter(({ pending }) => pending))).toEqual(Object.keys(model.held).sort());
          for (const pin of pins)
            expect(pin.fingerprint).toEqual(define(pin.name, model.first.get(pin.name) ?? 0).fingerprint);
          // Whoever keeps a catalogue by its digest sees each change of it.
          const callableAfter = JSON.stringify([model.callable, Object.keys(model.held)]);
          if (callableBefore === callableAfter) expect(digestOfPins(pins)).toEqual(before);
          else if (sorted(callableBefore) !== sorted(callableAfter)) expect(digestOfPins(pins)).not.toEqual(before);
          expect(comparePins(pins, listOf(next))).toEqual({
            ...{ added: [], returned: [], removed: [], drifted: [], settled: [] },
          });
        }
      }),
    );
  });
});

/** Without the order of members. */
function sorted(state: string): string {
  const [callable, held] = JSON.parse(state) as [Record<string, number>, string[]];
  return JSON.stringify([Object.entries(callable).sort(), held.sort()]);
}
