import { type LoggedEntry } from './entry-check.js';
import { ERASURE_ACTION, Erasures } from './erasures.js';

const HASH = Buffer.alloc(32, 1);
const entry = (entryId: string, change: Partial<LoggedEntry> = {}): LoggedEntry =>
  ({
    ...{ entryId, source: 'agent', action: 'open', details: '{}', detailsHash: HASH, context: '{}', contextHash: HASH },
    ...change,
  }) as LoggedEntry;
const erased = (entryId: string): LoggedEntry => entry(entryId, { details: null });
const record = (entryId: unknown, change: Partial<LoggedEntry> = {}): LoggedEntry =>
  entry('aud_record', { source: 'haldir', action: ERASURE_ACTION, details: JSON.stringify({ entry_id: entryId }), ...change }); // prettier-ignore
function firstOf(...entries: LoggedEntry[]): number | null {
  const erasures = new Erasures();
  entries.forEach((each, index) => erasures.see(each, index));
  return erasures.first();
}

describe('what is gone from a log without a record', () => {
  it('is nothing where nothing is gone, or there was nothing', () => {
    expect(firstOf(entry('a'), entry('b', { details: null, detailsHash: null }))).toBeNull();
    expect(firstOf(entry('a', { context: null, contextHash: null }))).toBeNull();
  });

  it('is the first of the entries without their details or context', () => {
    expect(firstOf(entry('a'), erased('b'), erased('c'))).toBe(1);
    expect(firstOf(entry('a', { context: null }))).toBe(0);
    expect(firstOf(erased('a'), erased('b'), record('a'))).toBe(1);
  });

  it('is nothing of what a later entry of Haldir says that it erased', () => {
    expect(firstOf(erased('a'), record('a'))).toBeNull();
    expect(firstOf(record('a'), erased('a'))).toBe(1);
    expect(firstOf(erased('a'), record('b'))).toBe(0);
  });

  it.each<[string, LoggedEntry]>([
    ['an agent', record('a', { source: 'agent' })],
    ['an entry of something else', record('a', { action: 'open' })],
    ['an entry that was erased itself', record('a', { details: null, detailsHash: null })],
    ['an entry that names none', record(7)],
    ['an entry whose details are no JSON', record('a', { details: 'a' })],
    ['an entry whose details are null', record('a', { details: 'null' })],
  ])('is not explained by %s', (_, said) => {
    expect(firstOf(erased('a'), said)).toBe(0);
  });
});
