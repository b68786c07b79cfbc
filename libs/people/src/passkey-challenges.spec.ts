import { createSecretKey } from 'node:crypto';
import { type KeyRing } from '@haldir/crypto';
import { type Clock } from '@haldir/kernel';
import { CHALLENGE_MS, type ChallengePurpose, PasskeyChallenges } from './passkey-challenges.js';

const START = Date.UTC(2026, 0, 1);
let now = START;
const clock: Clock = { now: () => new Date(now) };
const keyed = (byte: number) =>
  new PasskeyChallenges({ derive: () => createSecretKey(Buffer.alloc(32, byte)) } as unknown as KeyRing, clock);
const challenges = keyed(1);
const text = (challenge: Uint8Array): string => Buffer.from(challenge).toString('base64url');

const SIGN_IN: ChallengePurpose = { for: 'sign_in' };
const OF_ALICE: ChallengePurpose = { for: 'enrolment', tenantId: 'tnt_1', personId: 'prs_alice' };

beforeEach(() => {
  now = START;
});

it('is known to the millisecond for five minutes, by a hash of its own', () => {
  const made = text(challenges.make(SIGN_IN));
  const hash = challenges.read(made, SIGN_IN)?.hash;
  expect(hash).toHaveLength(32);
  expect(challenges.read(text(challenges.make(SIGN_IN)), SIGN_IN)?.hash).not.toEqual(hash);
  now = START + CHALLENGE_MS - 1;
  expect(challenges.read(made, SIGN_IN)).toEqual({ hash, expiresAt: new Date(START + CHALLENGE_MS) });
  now = START + CHALLENGE_MS;
  expect(challenges.read(made, SIGN_IN)).toBeNull();
});

it('is good for what it was made for alone', () => {
  const [signIn, ofAlice] = [text(challenges.make(SIGN_IN)), text(challenges.make(OF_ALICE))];
  expect(challenges.read(ofAlice, OF_ALICE)).not.toBeNull();
  expect(challenges.read(signIn, OF_ALICE)).toBeNull();
  for (const purpose of [
    SIGN_IN,
    { for: 'enrolment', tenantId: 'tnt_1', personId: 'prs_bob' },
    { for: 'enrolment', tenantId: 'tnt_2', personId: 'prs_alice' },
  ] as const)
    expect(challenges.read(ofAlice, purpose)).toBeNull();
  expect(keyed(2).read(signIn, SIGN_IN)).toBeNull();
});

it('has 128 random bits, and none of its bytes can be another', () => {
  const made = challenges.make(SIGN_IN);
  const heads = new Set(Array.from({ length: 100 }, () => text(challenges.make(SIGN_IN).slice(0, 16))));
  expect(heads.size).toBe(100);
  for (let i = 0; i < made.length; i++) {
    const altered = made.slice();
    altered[i] = (altered[i] ?? 0) ^ 1;
    expect([i, challenges.read(text(altered), SIGN_IN)]).toEqual([i, null]);
  }
  for (const other of ['', 'A', text(made).slice(0, -1), `${text(made)}A`, `${text(made)}=`, text(made).toUpperCase()])
    expect(challenges.read(other, SIGN_IN)).toBeNull();
});
