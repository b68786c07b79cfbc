import { randomBytes } from 'node:crypto';
import { Injectable } from '@nestjs/common';
import { type Actor } from '@haldir/kernel';
import { type Tx } from '@haldir/database';
import { decisionChallenge, type DecisionSignature, signatureFault, type SigningKey } from '@haldir/verifier';
import { type ApprovalRequest } from './approval-request.entity.js';
import { type DecidedRequest } from './approval-request.repository.js';
import { requiresSignature } from './approval-settings.entity.js';
import { ApprovalSettingsRepository } from './approval-settings.repository.js';
import { ruleIdsOf } from './approval-subject.js';
import { SignatureNotGood, SignatureRequired } from './approvals.errors.js';
import { DecisionChallengeRepository } from './decision-challenge.repository.js';
import { type GrantTerms, saidOfTerms } from './grant-terms.js';

/** In seconds. */
export const SIGNING_SECONDS = 300;
const NONCE_BYTES = 16;

/** What a passkey of whoever decides has signed. */
interface PasskeyProof {
  passkey: SigningKey;
  signed: Omit<DecisionSignature, 'nonce'>;
}

/** Holds what somebody sent against what was to be signed; null when it is not good, whatever the reason. */
export type Prove = (tx: Tx, challenge: Buffer) => Promise<PasskeyProof | null>;

/** What is decided of a request. */
export interface DecidedTerms {
  status: 'approved' | 'denied';
  /** Of a grant that is given along; null without one. */
  terms: GrantTerms | null;
}

/** What people sign of decisions, and where they have to. */
@Injectable()
export class DecisionSignatures {
  constructor(
    private readonly challenges: DecisionChallengeRepository,
    private readonly settings: ApprovalSettingsRepository,
  ) {}

  /** What the person signs to decide so: within five minutes, once, and unless they are given another for the same decision. */
  async challenge(
    { tenantId, id: personId }: Actor,
    { id: requestId, digest }: Pick<ApprovalRequest, 'id' | 'digest'>,
    { status: decision, terms }: DecidedTerms,
  ): Promise<Buffer> {
    const nonce = randomBytes(NONCE_BYTES);
    const key = { tenantId, requestId, personId, decision };
    await this.challenges.put(key, nonce, SIGNING_SECONDS);
    return decisionChallenge({
      ...key,
      digest: hex(digest),
      nonce: nonce.toString('hex'),
      terms: terms && saidOfTerms(terms),
    });
  }

  /**
   * What was signed of a decision that the transaction makes; null where nothing was, and need not be. Taken once, whatever is sent
   * how often to however many processes: a row is removed.
   *
   * @throws SignatureRequired, SignatureNotGood
   */
  async of(
    tx: Tx,
    { tenantId, id: personId }: Actor,
    request: DecidedRequest,
    { status: decision, terms }: DecidedTerms,
    prove: Prove | null,
  ): Promise<DecisionSignature | null> {
    if (prove === null) {
      if (decision === 'approved' && (await this.isRequired(tx, request, terms))) throw new SignatureRequired();
      return null;
    }
    const key = { tenantId, requestId: request.id, personId, decision };
    const nonce = hex(await this.challenges.in(tx).take(key));
    if (nonce === null) throw new SignatureNotGood();
    const decided = { ...key, digest: hex(request.digest), terms: terms && saidOfTerms(terms) };
    const proof = await prove(tx, decisionChallenge({ ...decided, nonce }));
    if (!proof) throw new SignatureNotGood();
    const signature = { nonce, ...proof.signed };
    // What goes into the log is what those who check it there take.
    if (signatureFault(decided, signature, proof.passkey) !== null) throw new SignatureNotGood();
    return signature;
  }

  private async isRequired(tx: Tx, request: DecidedRequest, terms: GrantTerms | null): Promise<boolean> {
    const settings = await this.settings.in(tx).find(request.tenantId);
    // A grant has a total of no less than that.
    const amount = request.amountUnclear ? 'unclear' : (terms?.totalAmount ?? request.amount);
    return requiresSignature(settings, amount, ruleIdsOf(request));
  }
}

function hex(bytes: Buffer | null): string | null {
  return bytes?.toString('hex') ?? null;
}
