import { readFileSync } from 'node:fs';
import { Controller, Get, Header } from '@nestjs/common';
import { ApiExcludeController } from '@nestjs/swagger';
import { OwnPages, PAGE_STYLE, type Pages, PublicRoute, SCRIPTED_PAGE } from '@haldir/http';
import { OidcSignInService } from '../oidc-sign-in.service.js';

export const SIGN_IN_PAGES: Pages = { prefix: '/welcome', headers: SCRIPTED_PAGE };

const asset = (name: string): string => readFileSync(new URL(`./page/${name}`, import.meta.url), 'utf8');

/** Where people sign in. The page is the same for everybody: the token of a link is read by its script. */
@ApiExcludeController()
@PublicRoute()
@Controller('welcome')
export class WelcomePageController {
  private readonly html: string;
  private readonly js = asset('welcome.js');
  private readonly passkeyJs = asset('passkey.js');
  private readonly oidcJs: string;

  constructor(oidc: OidcSignInService, pages: OwnPages) {
    this.html = pages.linked(asset('welcome.html'));
    this.oidcJs = asset('oidc.js').replace(`'%NAME%'`, () => JSON.stringify(oidc.name ?? ''));
  }

  @Get()
  @Header('content-type', 'text/html; charset=utf-8')
  page(): string {
    return this.html;
  }

  @Get('assets/welcome.js')
  @Header('content-type', 'text/javascript; charset=utf-8')
  script(): string {
    return this.js;
  }

  /** Also for other pages on which people sign in. */
  @Get('assets/passkey.js')
  @Header('content-type', 'text/javascript; charset=utf-8')
  passkeyScript(): string {
    return this.passkeyJs;
  }

  /** The same for those who sign in by an issuer, whose name is in it. */
  @Get('assets/oidc.js')
  @Header('content-type', 'text/javascript; charset=utf-8')
  oidcScript(): string {
    return this.oidcJs;
  }

  @Get('assets/welcome.css')
  @Header('content-type', 'text/css; charset=utf-8')
  style(): string {
    return PAGE_STYLE;
  }
}
