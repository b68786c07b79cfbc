import { keyActor } from '@haldir/kernel';
import { type Tx } from '@haldir/database';
import { type UpstreamTool } from '../mcp-client/index.js';
import { fingerprintOf } from './tool-definition.js';
import { type Pin, type PinChanges } from './tool-pins.js';
import { ToolPinsService } from './tool-pins.service.js';

interface Entry {
  action: string;
  tool: string;
  flag?: string;
  details: Record<string, unknown>;
}

const PLACE = { tenantId: 'ten_1', name: 'up' };
const OPERATOR = keyActor('ten_1', 'hld_x');
const LISTED = Buffer.from('list');

/** What is pinned, and how many characters the tenant's tools have together. */
let pins: Pin[];
let size: number;
let found: object | null;
let isThere: boolean;
let entries: Entry[];
let applied: PinChanges[];
let accepted: unknown[][];
let afterCommit: (() => void)[];
let drifts: number;
let service: ToolPinsService;
const tx = { onCommit: (work: () => void) => afterCommit.push(work) } as unknown as Tx;
beforeEach(() => {
  [pins, size, found, isThere, drifts] = [[], 0, null, true, 0];
  [entries, applied, accepted, afterCommit] = [[], [], [], []];
  const tools = {
    pins: async () => pins,
    pinned: async () => [],
    restate: () => undefined,
    size: async () => size,
    find: async () => found,
    clear: () => undefined,
    apply: async (_tenantId: string, _name: string, changes: PinChanges) => void applied.push(changes),
    accept: (...args: unknown[]) => void accepted.push(args),
  };
  const upstreams = { keepCatalogue: () => undefined, lock: async () => isThere };
  const parts = [
    { ...tools, in: () => tools },
    { in: () => upstreams },
    { record: (_tx: Tx, _actor: unknown, entry: Entry) => entries.push(entry) },
    { nudge: () => undefined },
    { countDrifts: (count: number) => (drifts += count) },
    { warn: () => undefined },
    { now: () => new Date(0) },
  ];
  service = new ToolPinsService(...(parts as unknown as ConstructorParameters<typeof ToolPinsService>));
});

const tool = (name: string, description = `Does ${name}`): UpstreamTool => ({
  name,
  description,
  inputSchema: { type: 'object' },
});
const pin = (name: string, more: Partial<Pin> = {}): Pin => ({
  ...{ name, fingerprint: fingerprintOf(tool(name)), pending: null, gone: false },
  ...more,
});
const many = (count: number): string[] => Array.from({ length: count }, (_, i) => `tool-${i}`);
const update = (...list: UpstreamTool[]): Promise<void> =>
  service.update(tx, PLACE, { tools: list, refused: [] }, LISTED);

describe('a list that an upstream gives', () => {
  it('is taken up to 4,000 tools that the registration ever had, gone ones among them; the rest are named as refused', async () => {
    pins = many(3_999).map((name) => pin(name, { gone: name !== 'tool-0' }));
    await update(tool('tool-0'), tool('last'), tool('beyond'), tool('further'));
    expect(applied[0]?.added.map(({ tool: { name } }) => name)).toEqual(['last']);
    expect(entries).toMatchObject([{ action: 'upstream_tools_changed', details: { tools: 2, added: 1, refused: 2 } }]);
    expect(entries[0]?.details['refused_tools']).toMatchObject([{ name: 'beyond' }, { name: 'further' }]);
  });

  it('is taken as far as the tenant has room for definitions, and a short tool behind a long one still is', async () => {
    // Of 16 Mi characters; each tool counts 1,024 and its definition.
    size = 16 * 1024 * 1024 - 3_000;
    await update(tool('long', 'x'.repeat(4_000)), tool('short'));
    expect(applied[0]?.added.map(({ tool: { name } }) => name)).toEqual(['short']);
    expect(entries[0]?.details['refused_tools']).toMatchObject([
      { name: 'long', reason: expect.stringContaining('of all tools of the tenant') },
    ]);
  });

  it('names twenty of the tools that it refuses in the log, and says how many they are', async () => {
    size = 16 * 1024 * 1024;
    await update(...many(30).map((name) => tool(name)));
    expect(entries[0]?.details).toMatchObject({ added: 0, refused: 30 });
    expect(entries[0]?.details['refused_tools']).toHaveLength(20);
  });

  it('is announced as drift where a tool is defined otherwise, once, and counted when that is committed', async () => {
    pins = [pin('echo'), pin('pay')];
    await update(tool('echo', 'Does more'), tool('pay'));
    expect(entries).toMatchObject([
      { action: 'tool_drift', tool: 'up.echo', flag: expect.stringMatching(/^tool_drift/) },
    ]);
    expect(drifts).toBe(0);
    for (const work of afterCommit) work();
    expect(drifts).toBe(1);
    entries = [];
    pins = [pin('echo', { pending: fingerprintOf(tool('echo', 'Does more')) }), pin('pay')];
    await update(tool('echo', 'Does more'), tool('pay'));
    expect([entries, afterCommit.length]).toEqual([[], 1]);
    await update(tool('echo'), tool('pay'));
    expect(entries).toMatchObject([{ action: 'tool_drift_ended', tool: 'up.echo' }]);
  });

  it('that says nothing new is written nowhere', async () => {
    pins = [pin('echo'), pin('former', { gone: true })];
    await update(tool('echo'));
    expect([entries, afterCommit]).toEqual([[], []]);
  });
});

describe('what an upstream says of a tool now', () => {
  const [was, is] = [tool('echo'), tool('echo', 'Does more')];
  const drifted = (pending = is): object => ({
    ...{ fingerprint: fingerprintOf(was), pending, pendingFingerprint: fingerprintOf(pending) },
  });
  const accept = (fingerprint: Buffer): Promise<void> => service.accept(tx, OPERATOR, 'up', 'echo', fingerprint);

  it('is accepted as it was looked at, and written down with both definitions and who did it', async () => {
    found = drifted();
    await accept(fingerprintOf(is));
    expect(accepted).toHaveLength(1);
    expect(entries).toMatchObject([
      { action: 'tool_accepted', details: { is: fingerprintOf(is).toString('hex'), by: OPERATOR.id } },
    ]);
  });

  it('is accepted again without a trace', async () => {
    found = { fingerprint: fingerprintOf(is), pending: null, pendingFingerprint: null };
    await accept(fingerprintOf(is));
    expect([accepted, entries]).toEqual([[], []]);
  });

  it.each([
    ['the upstream is not there', () => (isThere = false), 'UpstreamNotFound'],
    ['the tool is not there', () => (found = null), 'ToolNotFound'],
    ['it is another by now', () => (found = drifted(tool('echo', 'Does most'))), 'OtherDefinition'],
    ['it keeps to what was accepted', () => (found = { ...drifted(), pending: null }), 'OtherDefinition'],
    ['it would mislead', () => (found = drifted(tool('echo', 'Does \u202e more'))), 'MisleadingDefinition'],
  ])('is not accepted where %s', async (_, arrange, error) => {
    found = drifted();
    arrange();
    const looked = error === 'MisleadingDefinition' ? tool('echo', 'Does \u202e more') : is;
    await expect(accept(fingerprintOf(looked))).rejects.toMatchObject({ name: error });
    expect([accepted, entries]).toEqual([[], []]);
  });
});
