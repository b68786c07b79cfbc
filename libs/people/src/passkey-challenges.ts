import { createHmac, hash, type KeyObject, randomBytes, timingSafeEqual } from 'node:crypto';
import { Injectable } from '@nestjs/common';
import { Clock } from '@haldir/kernel';
import { KeyRing } from '@haldir/crypto';

/** In milliseconds. */
export const CHALLENGE_MS = 5 * 60_000;
const NONCE_BYTES = 16;
const TIME_BYTES = 6;
const MAC_BYTES = 32;

/** What a challenge is to be answered for: signing in, whoever it will be, or a passkey of that person. */
export type ChallengePurpose = { for: 'sign_in' } | { for: 'enrolment'; tenantId: string; personId: string };

/** A challenge that is ours and not over; it may have been taken. */
export interface OpenChallenge {
  /** SHA-256 of it, by which it is taken. */
  hash: Buffer;
  expiresAt: Date;
}

/**
 * What authenticators sign: 128 random bits, when it is over (milliseconds since 1970, 48 bits), and HMAC-SHA-256 of both with
 * the purpose, under a key of the installation. So whoever has not signed in yet leaves nothing in the database by asking; a challenge is noted
 * when it is answered, in the tenant of who answers.
 */
@Injectable()
export class PasskeyChallenges {
  private derived: KeyObject | undefined;

  constructor(
    private readonly keys: KeyRing,
    private readonly clock: Clock,
  ) {}

  make(purpose: ChallengePurpose): Uint8Array<ArrayBuffer> {
    const head = Buffer.alloc(NONCE_BYTES + TIME_BYTES);
    randomBytes(NONCE_BYTES).copy(head);
    head.writeUIntBE(this.clock.now().getTime() + CHALLENGE_MS, NONCE_BYTES, TIME_BYTES);
    return new Uint8Array([...head, ...this.macOf(head, purpose)]);
  }

  /** Null for one that was not made here, was made for something else, or is over. @param challenge in base64url */
  read(challenge: string, purpose: ChallengePurpose): OpenChallenge | null {
    const bytes = Buffer.from(challenge, 'base64url');
    // One text for each challenge.
    if (bytes.length !== NONCE_BYTES + TIME_BYTES + MAC_BYTES || bytes.toString('base64url') !== challenge) return null;
    const head = bytes.subarray(0, NONCE_BYTES + TIME_BYTES);
    if (!timingSafeEqual(bytes.subarray(head.length), this.macOf(head, purpose))) return null;
    const expiresAt = new Date(head.readUIntBE(NONCE_BYTES, TIME_BYTES));
    return expiresAt <= this.clock.now() ? null : { hash: hash('sha256', bytes, 'buffer'), expiresAt };
  }

  private macOf(head: Buffer, purpose: ChallengePurpose): Buffer {
    this.derived ??= this.keys.derive('haldir.passkey-challenge.v1');
    const whose = purpose.for === 'sign_in' ? [] : [purpose.tenantId, purpose.personId];
    const text = JSON.stringify([purpose.for, ...whose, head.toString('base64')]);
    return createHmac('sha256', this.derived).update(text).digest();
  }
}
