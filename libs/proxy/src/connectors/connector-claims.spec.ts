import { Writable } from 'node:stream';
import { type ConnectorAnswers } from './connector-answers.js';
import { type Claimed, ConnectorClaims } from './connector-claims.js';

beforeEach(() => void vi.useFakeTimers());
afterEach(() => void vi.useRealTimers());

const CLAIM = { tenantId: 'ten_1', upstream: 'fs', instance: 'i', keyId: 'k', most: 1, waitMs: 1 };
const CLAIMED = { exchanges: [{ id: 'cex_1' }], cancelled: [] } as unknown as Claimed;

function claims() {
  const noted = vi.fn(() => Promise.resolve());
  const answered = vi.fn((..._: Parameters<ConnectorAnswers['take']>) => Promise.resolve([]));
  type Parts = ConstructorParameters<typeof ConnectorClaims>;
  const [repository, answers] = [{ noteDelivered: noted }, { take: answered }];
  const parts = [repository, {}, answers, {}, {}, { gauge: () => undefined }] as unknown as Parts;
  return { noted, answered, claims: new ConnectorClaims(...parts) };
}
/** One that nobody reads. */
const stuck = (): Writable => new Writable({ write: () => undefined }).on('error', () => undefined);

describe('an answer that gives requests away', () => {
  it('is noted once it has left whole', async () => {
    const { noted, answered, claims: all } = claims();
    const answer = new Writable({ write: (_, __, done) => done() });
    all.follow(CLAIM, CLAIMED, answer);
    answer.end('x');
    await vi.advanceTimersByTimeAsync(1_000);
    expect(noted.mock.calls).toEqual([[[{ tenantId: 'ten_1', id: 'cex_1' }]]]);
    expect(answered).not.toHaveBeenCalled();
  });

  it('is noted, too, while it takes its time to leave; where it breaks later, what it gave is over', async () => {
    const { noted, answered, claims: all } = claims();
    const answer = stuck();
    all.follow(CLAIM, CLAIMED, answer);
    answer.end('x');
    await vi.advanceTimersByTimeAsync(2_000);
    expect(noted).toHaveBeenCalledTimes(1);
    answer.destroy();
    await vi.advanceTimersByTimeAsync(1_000);
    expect(answered.mock.calls[0]?.[1]).toMatchObject([{ id: 'cex_1', failed: 'reset' }]);
    expect(noted).toHaveBeenCalledTimes(1);
  });

  it('is over, and never noted, where it did not leave', async () => {
    const { noted, answered, claims: all } = claims();
    const [before, meanwhile] = [stuck(), stuck()];
    before.destroy();
    all.follow(CLAIM, CLAIMED, before);
    all.follow(CLAIM, CLAIMED, meanwhile);
    meanwhile.destroy();
    await vi.advanceTimersByTimeAsync(5_000);
    expect([answered.mock.calls.length, noted.mock.calls.length]).toEqual([2, 0]);
  });
});
