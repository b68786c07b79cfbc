import { Body, Controller, HttpStatus, Post, Req, Res } from '@nestjs/common';
import { ApiExcludeController } from '@nestjs/swagger';
import { type HaldirReply, type HaldirRequest, originOf, OwnPages, PublicRoute, Returns } from '@haldir/http';
import { normalEmail } from '../email.js';
import { PasskeyService } from '../passkey.service.js';
import { SignInService } from '../sign-in.service.js';
import { BrowserSignIns } from './browser-sign-ins.js';
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
    private readonly browsers: BrowserSignIns,
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
    const { signedIn } = await this.browsers.open(request, reply, async () => ({
      signedIn: await this.signIns.byLink(token, who, originOf(request)),
    }));
    return toSignedIn(signedIn);
  }

  @Post('passkey/options')
  @Returns(HttpStatus.OK, PasskeyOptions, 'What a passkey signs in by')
  async passkeyOptions(@Req() request: HaldirRequest): Promise<PasskeyOptions> {
    this.pages.check(request);
    return { ...(await this.passkeys.signInOptions()) };
  }

  @Post('passkey')
  @Returns(HttpStatus.OK, SignedIn, 'Signed in')
  async byPasskey(
    @Body({ schema: SignInByPasskey }) { credential }: SignInByPasskey,
    @Req() request: HaldirRequest,
    @Res({ passthrough: true }) reply: HaldirReply,
  ): Promise<SignedIn> {
    const page = this.pages.check(request);
    const { signedIn } = await this.browsers.open(request, reply, async () => ({
      signedIn: await this.signIns.byPasskey(credential, page, originOf(request)),
    }));
    return toSignedIn(signedIn);
  }
}
