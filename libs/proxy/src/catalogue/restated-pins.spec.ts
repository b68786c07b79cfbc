import { hash } from 'node:crypto';
import { canonicalJson, type JsonValue } from '@haldir/kernel';
import { type PinnedDefinition, restatedPins } from './restated-pins.js';
import { fingerprintOf, type ListedDefinition } from './tool-definition.js';
import { comparePins, type Pin } from './tool-pins.js';
import { repairedTool, type UpstreamTool } from '../mcp-client/index.js';

/** As fingerprints were made before: of the definition as it came. */
const earlier = (tool: unknown): Buffer => hash('sha256', canonicalJson(tool as JsonValue), 'buffer');
const kept = (members: object): UpstreamTool => ({ name: 'a', inputSchema: { type: 'object' }, ...members });
const listed = (members: object): ListedDefinition => {
  const tool = repairedTool({ name: 'a', inputSchema: { type: 'object' }, ...members });
  return { tool, fingerprint: fingerprintOf(tool) };
};
const schema = (...required: string[]): object => ({ inputSchema: { type: 'object', required } });

let read: string[][];
beforeEach(() => {
  read = [];
});
const restate = (definition: UpstreamTool, is: ListedDefinition, pending: UpstreamTool | null = null) => {
  const pin: Pin = { name: 'a', fingerprint: earlier(definition), pending: pending && earlier(pending), gone: false };
  const pinned: PinnedDefinition = { name: 'a', definition, pending };
  return restatedPins([pin], [is], async (names) => {
    read.push([...names]);
    return [pinned];
  });
};
const changesOf = async (...given: Parameters<typeof restate>): Promise<[drifted: number, settled: number]> => {
  const { pins, listed: found } = await restate(...given);
  const { drifted, settled } = comparePins(pins, found);
  return [drifted.length, settled.length];
};

describe('a pin whose fingerprint was made by an earlier version', () => {
  it('stands where the upstream says the same, and is not read where nothing seems to differ', async () => {
    expect(await changesOf(kept(schema('a', 'b')), listed(schema('a', 'b')))).toEqual([0, 0]);
    expect(read).toEqual([]);
  });

  it('stands where only the order of a set differs, whatever order was accepted', async () => {
    for (const order of [
      ['a', 'b'],
      ['b', 'a'],
    ]) {
      const { pins, repaired } = await restate(kept(schema('b', 'a')), listed(schema(...order)));
      expect([pins[0]?.fingerprint, repaired]).toEqual([earlier(kept(schema('b', 'a'))), []]);
      expect(await changesOf(kept(schema('b', 'a')), listed(schema(...order)))).toEqual([0, 0]);
    }
  });

  it('is told in other words where clients could not read the kept definition', async () => {
    const broken = kept({ title: null, icons: null, inputSchema: { type: 'object', required: null } });
    const is = listed({ title: null, icons: null, inputSchema: { type: 'object', required: null } });
    expect(await changesOf(broken, is)).toEqual([0, 0]);
    const { pins, repaired } = await restate(broken, is);
    expect(repaired).toEqual([{ tool: kept({}), fingerprint: is.fingerprint }]);
    expect(pins[0]?.fingerprint).toEqual(is.fingerprint);
  });

  it('is not what is really said otherwise', async () => {
    expect(await changesOf(kept(schema('a', 'b')), listed(schema('a', 'c')))).toEqual([1, 0]);
    expect(await changesOf(kept({ title: null }), listed({ title: 'New' }))).toEqual([1, 0]);
  });

  it('keeps the change that it was held back for, and gives up one that was none', async () => {
    const is = listed({ ...schema('b', 'a'), title: 'New' });
    const pending = kept({ ...schema('b', 'a'), title: 'New' });
    expect(await changesOf(kept(schema('b', 'a')), is, pending)).toEqual([0, 0]);
    expect(await changesOf(kept(schema('b', 'a')), listed(schema('a', 'b')), kept(schema('a', 'b')))).toEqual([0, 1]);
  });
});
