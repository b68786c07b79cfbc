import { Body, Controller, Get, HttpStatus, Post, Query, Redirect, Req, Res } from '@nestjs/common';
import { ApiExcludeController } from '@nestjs/swagger';
import { cookieIn, type HaldirReply, type HaldirRequest, originOf, OwnPages, PublicRoute, Returns } from '@haldir/http';
import { OidcAway } from '../oidc.errors.js';
import { FLOW_SECONDS } from '../oidc-flows.js';
import { OidcSignInService } from '../oidc-sign-in.service.js';
import { BrowserSignIns } from './browser-sign-ins.js';
import { BeginOidc, FinishOidc, SignedInByOidc, toFragment, toOidcAnswer } from './oidc-sign-in.dto.js';
import { toSignedIn } from './sign-in.dto.js';

/** What the browser keeps while somebody is at the issuer, sealed. Lax: it comes with the redirect from there. */
const COOKIE = '__Host-haldir-oidc';

function flowCookie(kept: string, seconds: number): string {
  return `${COOKIE}=${kept}; Path=/; Max-Age=${seconds}; Secure; HttpOnly; SameSite=Lax`;
}

/**
 * How people come in by an issuer: a page sends the browser there, it comes back with a code, and the page changes that into a sign-in.
 * So what the page keeps stands in no address, and a sign-in is made for a page of Haldir's own alone.
 */
@ApiExcludeController()
@PublicRoute()
@Controller('v1/sign-in/oidc')
export class OidcSignInController {
  constructor(
    private readonly oidc: OidcSignInService,
    private readonly browsers: BrowserSignIns,
    private readonly pages: OwnPages,
  ) {}

  @Get()
  @Redirect('/welcome', HttpStatus.FOUND)
  async begin(
    @Query({ schema: BeginOidc }) { page, return_to: returnTo }: BeginOidc,
    @Res({ passthrough: true }) reply: HaldirReply,
  ): Promise<{ url: string }> {
    try {
      const { url, kept } = await this.oidc.begin(page, returnTo);
      void reply.header('set-cookie', flowCookie(kept, FLOW_SECONDS));
      return { url };
    } catch (error) {
      // Whoever is on their way to sign in is shown a page.
      if (error instanceof OidcAway) return { url: this.pages.pathOf('/welcome#oidc&away') };
      throw error;
    }
  }

  /** Whatever came is looked at when the page sends it. */
  @Get('callback')
  @Redirect('/welcome', HttpStatus.FOUND)
  callback(@Req() { query }: HaldirRequest): { url: string } {
    return { url: this.pages.pathOf(`/welcome#${toFragment(query as Record<string, unknown>)}`) };
  }

  @Post()
  @Returns(HttpStatus.OK, SignedInByOidc, 'Signed in')
  async finish(
    @Body({ schema: FinishOidc }) body: FinishOidc,
    @Req() request: HaldirRequest,
    @Res({ passthrough: true }) reply: HaldirReply,
  ): Promise<SignedInByOidc> {
    this.pages.check(request);
    const kept = cookieIn(request.headers.cookie, COOKIE);
    const { signedIn, returnTo } = await this.browsers.open(request, reply, () =>
      this.oidc.finish(kept, body.page_secret, toOidcAnswer(body), originOf(request)),
    );
    void reply.header('set-cookie', flowCookie('', 0));
    return { ...toSignedIn(signedIn), return_to: returnTo };
  }
}
