import { Injectable } from '@nestjs/common';
import { type Actor, Clock } from '@haldir/kernel';
import { PasskeySignatures } from '@haldir/people';
import { type PasskeyAssertion, type PasskeyOptions } from '@haldir/people/http';
import { ApprovalService } from '../approval.service.js';
import { ApprovalAlreadyDecided, ApprovalExpired } from '../approvals.errors.js';
import { type DecidedTerms, DecisionSignatures, type Prove, SIGNING_SECONDS } from '../decision-signatures.js';
import { SelfApprovalService } from '../self-approval.service.js';

/** Has people sign decisions with their passkeys. */
@Injectable()
export class DecisionSigning {
  constructor(
    private readonly approvals: ApprovalService,
    private readonly selfApproval: SelfApprovalService,
    private readonly signatures: DecisionSignatures,
    private readonly passkeys: PasskeySignatures,
    private readonly clock: Clock,
  ) {}

  /**
   * What a browser has the person sign that decision by.
   *
   * @throws ApprovalNotFound, ApprovalAlreadyDecided, ApprovalExpired, SelfApproval, NoPasskey, PasskeysNeedName
   */
  async options(person: Actor, requestId: string, decision: DecidedTerms): Promise<PasskeyOptions> {
    const request = await this.approvals.get(person.tenantId, requestId);
    const status = request.statusAt(this.clock.now());
    if (status === 'expired') throw new ApprovalExpired();
    if (status !== 'pending') throw new ApprovalAlreadyDecided(status);
    await this.selfApproval.refuseOwn(person, requestId);
    const challenge = (): Promise<Buffer> => this.signatures.challenge(person, request, decision);
    return { ...(await this.passkeys.options(person, challenge, SIGNING_SECONDS)) };
  }

  /** Whether it is a passkey of the person that has signed. @param origin of the page that sends it */
  proofOf(person: Actor, assertion: PasskeyAssertion, origin: string): Prove {
    return async (tx, challenge) => {
      const passkey = await this.passkeys.verify(tx, person, assertion, challenge, origin);
      if (!passkey) return null;
      const { clientDataJSON, authenticatorData, signature } = assertion.response;
      return {
        passkey,
        signed: {
          passkey_id: passkey.id,
          credential_id: passkey.credentialId.toString('base64url'),
          rp_id: passkey.rpId,
          authenticator_data: authenticatorData,
          client_data_json: clientDataJSON,
          signature,
        },
      };
    };
  }
}
