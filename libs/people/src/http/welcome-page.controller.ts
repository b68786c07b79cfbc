import { readFileSync } from 'node:fs';
import { Controller, Get, Header } from '@nestjs/common';
import { ApiExcludeController } from '@nestjs/swagger';
import { type Pages, PublicRoute } from '@haldir/http';

/** No script but its own, which may speak to this API alone; nothing in line, nothing from elsewhere, in nobody's frame. */
export const SIGN_IN_PAGES: Pages = {
  prefix: '/welcome',
  headers: {
    'content-security-policy':
      "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'",
    'cross-origin-opener-policy': 'same-origin',
    'cross-origin-resource-policy': 'same-origin',
  },
};

const asset = (name: string): string => readFileSync(new URL(`./page/${name}`, import.meta.url), 'utf8');

/** Where people sign in. The page is the same for everybody: the token of a link is read by its script. */
@ApiExcludeController()
@PublicRoute()
@Controller('welcome')
export class WelcomePageController {
  private readonly html = asset('welcome.html');
  private readonly js = asset('welcome.js');
  private readonly css = asset('welcome.css');

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

  @Get('assets/welcome.css')
  @Header('content-type', 'text/css; charset=utf-8')
  style(): string {
    return this.css;
  }
}
