import { type KeyObject } from 'node:crypto';
import { Injectable } from '@nestjs/common';
import { Clock } from '@haldir/kernel';
import { associatedData, KeyRing, open, seal } from '@haldir/crypto';
import { newSecretToken } from './secret-token.js';

/** How long somebody may take at the issuer. */
export const FLOW_SECONDS = 600;
/** The key is derived, so it has one version. */
const KEY_VERSION = 1;
const PLACE = associatedData(['haldir.oidc-flow.v1']);

/** A sign-in that is under way at an issuer. */
export interface OidcFlow {
  /** 256 random bits each, in base64url: what comes back, what the ID token repeats, and what the code is worth nothing without. */
  state: string;
  nonce: string;
  verifier: string;
  /** SHA-256 of what the page keeps that began it, in base64url. */
  page: string;
  /** Where the page goes on: a path of Haldir's own. */
  returnTo: string;
  expiresAt: Date;
}

/**
 * Sign-ins under way are kept by the browsers that began them, sealed (AES-256-GCM, under a key of the installation): any process
 * goes on with one, and whoever asks leaves nothing in the database.
 */
@Injectable()
export class OidcFlows {
  private derived: KeyObject | undefined;

  constructor(
    private readonly keys: KeyRing,
    private readonly clock: Clock,
  ) {}

  begin(page: string, returnTo: string): OidcFlow {
    const [state, nonce, verifier] = [newSecretToken(), newSecretToken(), newSecretToken()];
    const expiresAt = new Date(this.clock.now().getTime() + FLOW_SECONDS * 1000);
    return { state, nonce, verifier, page, returnTo, expiresAt };
  }

  /** In base64url. */
  seal({ state, nonce, verifier, page, returnTo, expiresAt }: OidcFlow): string {
    const text = JSON.stringify([state, nonce, verifier, page, returnTo, expiresAt.getTime()]);
    return seal(this.key(), KEY_VERSION, Buffer.from(text), PLACE).toString('base64url');
  }

  /** Null for what was not sealed here, or is over. */
  open(text: string): OidcFlow | null {
    let opened: Buffer;
    try {
      opened = open(this.key(), Buffer.from(text, 'base64url'), PLACE);
    } catch {
      return null;
    }
    const [state, nonce, verifier, page, returnTo, expiresAt] = JSON.parse(opened.toString()) as Sealed;
    const flow = { state, nonce, verifier, page, returnTo, expiresAt: new Date(expiresAt) };
    return flow.expiresAt <= this.clock.now() ? null : flow;
  }

  private key(): KeyObject {
    return (this.derived ??= this.keys.derive('haldir.oidc-flow.v1'));
  }
}

type Sealed = [state: string, nonce: string, verifier: string, page: string, returnTo: string, expiresAt: number];
