import { hash, randomBytes } from 'node:crypto';

/** 256 random bits in base64url. */
export function newSecretToken(): string {
  return randomBytes(32).toString('base64url');
}

/** What is kept of a token: it cannot be guessed, so it needs no salt. */
export function hashToken(token: string): Buffer {
  return hash('sha256', token, 'buffer');
}
