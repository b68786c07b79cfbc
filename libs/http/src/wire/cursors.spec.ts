import { createSecretKey } from 'node:crypto';
import { InvalidInput } from '@haldir/kernel';
import { type KeyRing } from '@haldir/crypto';
import fc from 'fast-check';
import { Cursors, type ListIdentity } from './cursors.js';

const cursors = new Cursors({ derive: () => createSecretKey(Buffer.alloc(32, 7)) } as unknown as KeyRing);
const identity: ListIdentity = { tenantId: 'tnt_1', list: 'payments', filters: { agentId: 'a', limit: 10 } };

const position = fc.array(fc.oneof(fc.string({ unit: 'binary' }), fc.integer()), { maxLength: 4 });
/** The positions that a cursor opens to; null where it is refused as a cursor may be refused. */
function opened(at: ListIdentity, cursor: string): unknown {
  try {
    return cursors.decode(at, cursor);
  } catch (error) {
    if (error instanceof InvalidInput) return null;
    throw error;
  }
}

it('a cursor leads back to where it was given out', () => {
  fc.assert(
    fc.property(position, (at) => {
      expect(cursors.decode(identity, cursors.encode(identity, at))).toEqual(at);
    }),
  );
});

it('a cursor leads nowhere in another list, of another tenant, or under other filters', () => {
  const cursor = cursors.encode(identity, ['pay_1']);
  const others: Partial<ListIdentity>[] = [
    { tenantId: 'tnt_2' },
    { tenantId: 'tnt_1payments', list: '' },
    { list: 'sessions' },
    { filters: {} },
    { filters: { agentId: 'b', limit: 10 } },
    { filters: { agentId: 'a', limit: '10' } },
    { filters: { agentId: 'a', limit: 10, status: null } },
  ];
  for (const other of others) expect(opened({ ...identity, ...other }, cursor)).toBeNull();
});

it('a text that was never given out is refused, whatever it is', () => {
  const given = cursors.encode(identity, ['pay_1']);
  const bytes = Buffer.from(given, 'base64url');
  const changed = fc.tuple(fc.nat(bytes.length - 1), fc.integer({ min: 1, max: 255 })).map(([at, by]) => {
    const other = Buffer.from(bytes);
    other[at] = (other[at] ?? 0) ^ by;
    return other.toString('base64url');
  });
  const shorter = fc.nat(bytes.length - 1).map((length) => bytes.subarray(0, length).toString('base64url'));
  const random = fc.uint8Array({ maxLength: 200 }).map((other) => Buffer.from(other).toString('base64url'));
  fc.assert(
    fc.property(fc.oneof(changed, shorter, random, fc.string({ unit: 'binary' })), (text) => {
      expect(opened(identity, text)).toBeNull();
    }),
    { numRuns: 1_000 },
  );
});
