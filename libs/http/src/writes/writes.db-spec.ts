import { createHmac, createSecretKey, hash, type KeyObject, randomBytes } from 'node:crypto';
import { newId } from '@haldir/kernel';
import { type KeyRing } from '@haldir/crypto';
import { dataSourceOptions, Transactions } from '@haldir/database';
import { testDatabase } from '@haldir/test-support';
import { DataSource } from 'typeorm';
import { type HaldirReply } from '../auth/caller.js';
import { IdempotencyRecord } from './idempotency-record.entity.js';
import { IdempotencyRepository } from './idempotency.repository.js';
import { type WriteRequest } from './write-request.js';
import { Answer, type Attempt, Writes } from './writes.js';

const LOCK_MS = 60_000;
const root = randomBytes(32);
let dataSource: DataSource;
let writes: Writes;
let now: Date;
let tenantId: string;
/** How often the work was done, and what of it was not written under the key. */
let done: number;
let unwritten: string[];
beforeAll(async () => {
  const options = dataSourceOptions(await testDatabase(), 4);
  dataSource = await new DataSource({ ...options, entities: [IdempotencyRecord] }).initialize();
  const transactions = new Transactions(dataSource);
  const derive = (label: string): KeyObject => createSecretKey(createHmac('sha256', root).update(label).digest());
  writes = new Writes(new IdempotencyRepository(transactions), transactions, { derive } as KeyRing, { now: () => now });
});
afterAll(() => dataSource.destroy());
beforeEach(async () => {
  [now, done, unwritten, tenantId] = [new Date('2026-01-01T00:00:00Z'), 0, [], newId('tnt')];
  await dataSource.query(`INSERT INTO tenant (id, tier, created_at) VALUES ($1, 'free', now())`, [tenantId]);
});

interface Asked extends WriteRequest {
  /** What was set of the answer. */
  set: unknown[];
}

function request(body = 'same', idempotencyKey: string | null = 'key'): Asked {
  const set: unknown[] = [];
  const reply = {
    statusCode: 200,
    status: (code: number) => set.push(code),
    header: (...header: unknown[]) => set.push(header),
  };
  return {
    ...{ tenantId, principal: 'hld_x', route: 'POST /calls', idempotencyKey, set },
    fingerprint: () => hash('sha256', body, 'buffer'),
    reply: reply as unknown as HaldirReply,
  };
}

/** Does work that comes to `attempt`, unless the key has its answer. */
const attempt = (
  how: Attempt<string>,
  asked = request(),
  finish: (outcome: string) => Promise<string | Answer<string>> = async (outcome) => `answer to ${outcome}`,
): Promise<string> =>
  writes.around(asked, LOCK_MS, async () => (done++, how), finish, (outcome) => unwritten.push(outcome)); // prettier-ignore
const failed = (work: Promise<unknown>): Promise<string> =>
  work.then(
    () => 'fine',
    (error: Error) => error.name,
  );

describe('work outside the database under an Idempotency-Key', () => {
  it('that is done is answered again, and not done again', async () => {
    expect(await attempt({ kind: 'done', outcome: 'a' })).toBe('answer to a');
    const again = request();
    expect(await attempt({ kind: 'done', outcome: 'b' }, again)).toBe('answer to a');
    expect(again.set).toEqual([['idempotent-replayed', 'true'], 200]);
    expect(done).toBe(1);
    expect(await failed(attempt({ kind: 'done', outcome: 'c' }, request('other')))).toBe('IdempotencyMismatch');
  });

  it('that had no effect is answered, and leaves the key free', async () => {
    expect(await attempt({ kind: 'undone', outcome: 'a' })).toBe('answer to a');
    expect(await attempt({ kind: 'done', outcome: 'b' })).toBe('answer to b');
    expect(done).toBe(2);
  });

  it('that was broken off once something may have happened is not done again: its outcome is unknown', async () => {
    const error = new Error('after a question');
    await expect(attempt({ kind: 'interrupted', error })).rejects.toBe(error);
    expect(await failed(attempt({ kind: 'done', outcome: 'b' }))).toBe('IdempotencyInProgress');
    now = new Date(now.getTime() + LOCK_MS + 1);
    expect(await failed(attempt({ kind: 'done', outcome: 'c' }))).toBe('OutcomeUnknown');
    expect(done).toBe(1);
  });

  it('that throws leaves the key free', async () => {
    const nothing = (): Promise<never> => Promise.reject(new Error('before anything'));
    await expect(writes.around(request(), LOCK_MS, nothing, nothing, nothing)).rejects.toThrow('before anything');
    expect(await attempt({ kind: 'done', outcome: 'a' })).toBe('answer to a');
  });

  it('whose answer cannot be written is told so, and is not done again', async () => {
    const full = (): Promise<never> => Promise.reject(new Error('no room'));
    await expect(attempt({ kind: 'done', outcome: 'a' }, request(), full)).rejects.toThrow('no room');
    expect(unwritten).toEqual(['a']);
    now = new Date(now.getTime() + LOCK_MS + 1);
    expect(await failed(attempt({ kind: 'done', outcome: 'b' }))).toBe('OutcomeUnknown');
  });

  it('sets the status that its answer has, now and when it is answered again', async () => {
    const [first, again] = [request(), request()];
    for (const asked of [first, again])
      expect(await attempt({ kind: 'done', outcome: 'a' }, asked, async () => new Answer(403, 'no'))).toBe('no');
    expect([first.set, again.set]).toEqual([[403], [['idempotent-replayed', 'true'], 403]]);
  });
});

it('is done as often as it is asked for without a key', async () => {
  const asked = (): Asked => request('same', null);
  expect(await attempt({ kind: 'done', outcome: 'a' }, asked())).toBe('answer to a');
  expect(await attempt({ kind: 'undone', outcome: 'b' }, asked())).toBe('answer to b');
  expect(done).toBe(2);
});
