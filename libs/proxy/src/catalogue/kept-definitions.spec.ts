import { KeptDefinitions } from './kept-definitions.js';

const standing = (name: string, digest: string) => ({ name, digest });

describe('definitions that are kept', () => {
  /** Room for one upstream and a half. Readings end when the test says so. */
  function world() {
    const digests = new Map([
      ['a', '1'],
      ['b', '1'],
    ]);
    const read = vi.fn(async (_: string, names: string[]) => {
      const found = names.map((name) => [name, { digest: digests.get(name) ?? '', size: 1_000 }] as const);
      await new Promise((resolve) => setImmediate(resolve));
      return new Map(found);
    });
    return { digests, read, kept: new KeptDefinitions(1_500, read) };
  }

  it('are all there also where there is no room to keep them all', async () => {
    const { kept, read } = world();
    await kept.of('tnt_1', [standing('a', '1')]);
    const { known, isCurrent } = await kept.of('tnt_1', [standing('a', '1'), standing('b', '1')]);
    expect([[...known.keys()], isCurrent]).toEqual([['a', 'b'], true]);
    expect(read.mock.calls.map(([, names]) => names)).toEqual([['a'], ['b']]);
  });

  it('are never what was read before whoever asks knew of others', async () => {
    const { kept, digests, read } = world();
    const before = kept.of('tnt_1', [standing('a', '1')]);
    digests.set('a', '2');
    const after = kept.of('tnt_1', [standing('a', '2')]);
    expect((await after).known.get('a')?.digest).toBe('2');
    expect((await before).known.get('a')?.digest).toBe('1');
    const late = await kept.of('tnt_1', [standing('a', '1')]);
    expect(late.isCurrent).toBe(false);
    expect(read.mock.calls).toHaveLength(3);
  });
});
