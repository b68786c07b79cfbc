import { Body, Controller, HttpStatus, Post, Req, Res } from '@nestjs/common';
import { ApiExcludeController } from '@nestjs/swagger';
import {
  type Caller,
  FailedAuthThrottle,
  type HaldirReply,
  type HaldirRequest,
  originOf,
  OwnPages,
  PAGE_TOKEN_HEADER,
  personCookie,
  personCookieOf,
  PublicRoute,
  Returns,
} from '@haldir/http';
import { normalEmail } from '../email.js';
import { PasskeyService } from '../passkey.service.js';
import { type NewSignIn, SIGN_IN_SECONDS, SignInService } from '../sign-in.service.js';
import { PasskeyOptions, SignInByPasskey } from './passkey.dto.js';
import { SignedIn, SignInByLink, toSignedIn } from './sign-in.dto.js';

/** How people come in. What they ask with is worth a sign-in, so nothing of it is kept to be answered again. */
@ApiExcludeController()
@PublicRoute()
@Controller('v1/sign-in')
export class SignInController {
  constructor(
    private readonly signIns: SignInService,
    private readonly passkeys: PasskeyService,
    private readonly pages: OwnPages,
    private readonly failures: FailedAuthThrottle,
  ) {}

  @Post('link')
  @Returns(HttpStatus.OK, SignedIn, 'Signed in')
  async byLink(
    @Body({ schema: SignInByLink }) { token, email, name }: SignInByLink,
    @Req() request: HaldirRequest,
    @Res({ passthrough: true }) reply: HaldirReply,
  ): Promise<SignedIn> {
    this.pages.check(request);
    const who = { email: email === undefined ? null : normalEmail(email), name };
    return this.signIn(request, reply, () => this.signIns.byLink(token, who, originOf(request)));
  }

  @Post('passkey/options')
  @Returns(HttpStatus.OK, PasskeyOptions, 'What a passkey signs in by')
  async passkeyOptions(@Req() request: HaldirRequest): Promise<PasskeyOptions> {
    this.pages.check(request);
    return { ...(await this.passkeys.signInOptions()) };
  }

  @Post('passkey')
  @Returns(HttpStatus.OK, SignedIn, 'Signed in')
  byPasskey(
    @Body({ schema: SignInByPasskey }) { credential }: SignInByPasskey,
    @Req() request: HaldirRequest,
    @Res({ passthrough: true }) reply: HaldirReply,
  ): Promise<SignedIn> {
    const page = this.pages.check(request);
    return this.signIn(request, reply, () => this.signIns.byPasskey(credential, page, originOf(request)));
  }

  private async signIn(request: HaldirRequest, reply: HaldirReply, admit: () => Promise<NewSignIn>): Promise<SignedIn> {
    const before = await this.signedInBefore(request);
    const signedIn = await this.failures.during(request.ip, admit);
    if (before) await this.signIns.endIfThere(before.actor, before.keyId);
    void reply.header('set-cookie', personCookie(signedIn.cookie, SIGN_IN_SECONDS));
    return toSignedIn(signedIn);
  }

  /** Whoever was signed in in this browser: it has one cookie. */
  private async signedInBefore({ headers }: HaldirRequest): Promise<Caller | null> {
    const [cookie, pageToken] = [personCookieOf(headers.cookie), headers[PAGE_TOKEN_HEADER]];
    return cookie === null || typeof pageToken !== 'string' ? null : this.signIns.authenticate(cookie, pageToken, true);
  }
}
