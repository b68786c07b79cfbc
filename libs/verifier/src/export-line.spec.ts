import { type LoggedEntry } from './entry-check.js';
import { actorOf, readEntry, writeEntry } from './export-line.js';

const entry: LoggedEntry = {
  ...{ tenantId: 'tnt_1', entryId: 'aud_1', source: 'agent', sessionId: 'ses_1', agentId: 'agent', tool: 'mail.send' },
  ...{ action: 'sent “hi”', costMicros: '1500000', atMicros: 1_760_000_000_123_456n, flagReason: 'high_cost' },
  ...{ details: 'to: dana', detailsSalt: '00', detailsHash: 'aa', actorId: 'hld_1', contextSalt: '01' },
  ...{ context: '{"label":"key:hld_1"}', contextHash: 'bb' },
  ...{ prevHash: Buffer.alloc(32), entryHash: Buffer.alloc(32, 1) },
};
const first: LoggedEntry = {
  ...{ ...entry, flagReason: null, details: null, detailsSalt: null, detailsHash: null, actorId: null },
  ...{ context: null, contextSalt: null, contextHash: null, costMicros: '0' },
};
const hashes = `"prev_hash":"${'00'.repeat(32)}","entry_hash":"${'01'.repeat(32)}"`;

describe('a line of an export', () => {
  it('is the bytes that docs/log-format.md names, whatever format its entry is of', () => {
    expect(JSON.stringify(writeEntry({ ...entry, costMicros: 1_500_000n }, 7))).toBe(
      '{"entry_id":"aud_1","timestamp":1760000000.123456,"tenant_id":"tnt_1","session_id":"ses_1","agent_id":"agent",' +
        '"tool":"mail.send","action":"sent “hi”","cost_usd":1.5,"flagged":true,"flag_reason":"high_cost",' +
        `"details":"to: dana",${hashes},"leaf_index":7,"source":"agent","cost_micros":"1500000","details_salt":"00",` +
        '"details_hash":"aa","format":2,"actor":"key:hld_1","actor_id":"hld_1","context":"{\\"label\\":\\"key:hld_1\\"}",' +
        '"context_salt":"01","context_hash":"bb"}',
    );
    expect(JSON.stringify(writeEntry(first, 0))).toContain(
      `"flagged":false,"flag_reason":null,"details":null,${hashes},"leaf_index":0,"source":"agent","cost_micros":"0",` +
        '"details_salt":null,"details_hash":null,"format":1,"actor":null,"actor_id":null,"context":null',
    );
  });

  it('is read as the entry that was written, also without the members that came with format 2', () => {
    expect(readEntry(writeEntry(entry, 7))).toEqual(entry);
    const { format: _, actor: __, actor_id: ___, context: ____, ...rest } = writeEntry(first, 0);
    const { context_salt: _____, context_hash: ______, ...old } = rest;
    expect(readEntry(old)).toEqual(first);
  });

  it.each([
    ['cost_usd', 2],
    ['flagged', false],
    ['format', 1],
    ['actor', 'hld_1'],
    ['cost_micros', '01'],
    ['timestamp', -1],
    ['timestamp', 1e11],
    ['timestamp', '1'],
    ['cost_micros', 1_500_000],
    ['cost_micros', ''],
    ['entry_hash', 1],
    ['entry_hash', `${'01'.repeat(32)}0`],
    ['entry_hash', '01'],
    ['details', 1],
  ])('is none when its %s is %j', (name, value) => {
    const line = { ...writeEntry(entry, 7), [name]: value };
    expect(readEntry(line)).toContain(`${name} is not as it is written`);
  });

  it('is of the seconds from 1970 on that six decimals are exact in', () => {
    for (const timestamp of [0, 99_999_999_999])
      expect(readEntry({ ...writeEntry(entry, 7), timestamp })).toMatchObject({ atMicros: BigInt(timestamp) * 1_000_000n });
  }); // prettier-ignore

  it('is none without one of its members, or with another', () => {
    const line: Record<string, unknown> = writeEntry(entry, 7);
    for (const name of Object.keys(line)) {
      const { [name]: _, ...rest } = line;
      expect(readEntry(rest)).toBe(`the line is not an entry: it has no ${name}`);
    }
    expect(readEntry({ ...line, approved: 1 })).toBe('the line has a member that no hash covers: "approved"');
    const { context_hash: _, ...old } = writeEntry(first, 0);
    expect(readEntry(old)).toBe('the line is not an entry: it has no context_hash');
  });
});

it.each([
  ['{"label":"key:hld_1"}', 'key:hld_1'],
  ['{"label":1}', 'hld_1'],
  ['{}', 'hld_1'],
  ['not JSON', 'hld_1'],
  [null, 'hld_1'],
])('with the context %s, people are told that %s acted', (context, actor) => {
  expect(actorOf({ actorId: 'hld_1', context })).toBe(actor);
});
