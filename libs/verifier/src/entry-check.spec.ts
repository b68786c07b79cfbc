import { faultOf, type LoggedEntry } from './entry-check.js';
import { bodyHash, contentHash, entryHash, GENESIS_HASH, hashSalted } from './entry-hash.js';

const SALT = 'ab'.repeat(16);
const BEFORE = Buffer.alloc(32, 1);

/** An entry that follows `BEFORE`, and commits to all it says. */
function entry(fields: Partial<LoggedEntry> = {}): LoggedEntry {
  const given: LoggedEntry = {
    ...{ tenantId: 'ten_1', entryId: 'aud_1', source: 'agent', sessionId: 'ses_1', agentId: 'agent' },
    ...{ tool: 'mail', action: 'send', costMicros: 5n, actorId: 'hld_1', atMicros: 0n, flagReason: 'why' },
    ...{ details: '{"ü":1}', detailsSalt: SALT, detailsHash: hashSalted(SALT, '{"ü":1}') },
    ...{ context: '{}', contextSalt: SALT, contextHash: hashSalted(SALT, '{}') },
    ...{ prevHash: BEFORE, entryHash: GENESIS_HASH },
    ...fields,
  };
  const body = bodyHash(contentHash(given), given.atMicros, given.flagReason);
  return { ...given, entryHash: entryHash(given.prevHash, body), ...pick(fields, 'entryHash') };
}
const pick = <T extends object, K extends keyof T>(of: T, key: K): Partial<T> =>
  key in of ? ({ [key]: of[key] } as unknown as Partial<T>) : {};
/** What is wrong with one that was changed after it was written. */
const faultAfter = (change: Partial<LoggedEntry>): string | null => faultOf({ ...entry(), ...change }, BEFORE);

const NOTHING = { details: null, detailsSalt: null, detailsHash: null };
const NO_CONTEXT = { context: null, contextSalt: null, contextHash: null };

it.each<[string, Partial<LoggedEntry>]>([
  ['with all it can have', {}],
  ['without details', NOTHING],
  ['whose details were erased', { details: null, detailsSalt: null }],
  ['whose context was erased', { context: null, contextSalt: null }],
  ['of format 1', { actorId: null, ...NO_CONTEXT }],
  ['without a flag', { flagReason: null }],
])('nothing is wrong with an entry %s', (_, fields) => {
  expect(faultOf(entry(fields), BEFORE)).toBeNull();
});

it.each<[string, Partial<LoggedEntry>]>([
  ['the entry does not follow the one before it', { prevHash: GENESIS_HASH }],
  ['the details of the entry were changed', { details: '{"ü":2}' }],
  ['the details of the entry were changed', { detailsSalt: 'ac'.repeat(16) }],
  ['the context of the entry was changed', { context: '{"a":1}' }],
  ['the details of the entry and what commits to it do not go together', { detailsSalt: null }],
  ['the details of the entry and what commits to it do not go together', { details: null }],
  ['the details of the entry and what commits to it do not go together', { detailsHash: null }],
  ['the context of the entry and what commits to it do not go together', { contextSalt: null }],
  ['the context of the entry and what commits to it do not go together', { contextHash: null }],
  ['an entry of format 1 has no context', { actorId: null }],
  ['the entry was changed', { atMicros: -1n }],
  ...(['tenantId', 'entryId', 'source', 'sessionId', 'agentId', 'tool', 'action', 'actorId', 'flagReason'] as const).map(
    (member): [string, Partial<LoggedEntry>] => ['the entry was changed', { [member]: 'x' }],
  ),
  ['the entry was changed', { costMicros: 6n }],
  ['the entry was changed', { atMicros: 1n }],
  ['the entry was changed', { flagReason: null }],
  ['the entry was changed', { detailsHash: hashSalted(SALT, 'x'), details: null, detailsSalt: null }],
  ['the entry was changed', { entryHash: GENESIS_HASH }],
])('%s (%#)', (fault, change) => {
  expect(faultAfter(change)).toBe(fault);
}); // prettier-ignore
