import { Injectable } from '@nestjs/common';
import {
  type Caller,
  FailedAuthThrottle,
  type HaldirReply,
  type HaldirRequest,
  PAGE_TOKEN_HEADER,
  personCookie,
  personCookieOf,
} from '@haldir/http';
import { type NewSignIn, SIGN_IN_SECONDS, SignInService } from '../sign-in.service.js';

/** Signs the browser of a request in: it has one cookie, so whoever was signed in before is so no more. */
@Injectable()
export class BrowserSignIns {
  constructor(
    private readonly signIns: SignInService,
    private readonly failures: FailedAuthThrottle,
  ) {}

  /** @throws QuotaExceeded for an address of too many failures; what `admit` throws */
  async open<Admitted extends { signedIn: NewSignIn }>(
    request: HaldirRequest,
    reply: HaldirReply,
    admit: () => Promise<Admitted>,
  ): Promise<Admitted> {
    const before = await this.before(request);
    const admitted = await this.failures.during(request.ip, admit);
    if (before) await this.signIns.endIfThere(before.actor, before.keyId);
    void reply.header('set-cookie', personCookie(admitted.signedIn.cookie, SIGN_IN_SECONDS));
    return admitted;
  }

  private async before({ headers }: HaldirRequest): Promise<Caller | null> {
    const [cookie, pageToken] = [personCookieOf(headers.cookie), headers[PAGE_TOKEN_HEADER]];
    return cookie === null || typeof pageToken !== 'string' ? null : this.signIns.authenticate(cookie, pageToken, true);
  }
}
