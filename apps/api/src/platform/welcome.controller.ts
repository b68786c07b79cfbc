import { readFileSync } from 'node:fs';
import { Controller, Get, Header, Req, Res } from '@nestjs/common';
import { ApiExcludeController } from '@nestjs/swagger';
import { VERSION } from '@haldir/kernel';
import { Readiness } from '@haldir/health';
import { type HaldirReply, type HaldirRequest, PAGE_STYLE, type Pages, PublicAddress, PublicRoute } from '@haldir/http';
import { apiIndex } from './platform.controller.js';

/** A page without a script, in nobody's frame. */
export const WELCOME_PAGES: Pages = {
  prefix: '/',
  headers: {
    'content-security-policy':
      "default-src 'none'; style-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'",
    'cross-origin-opener-policy': 'same-origin',
    'cross-origin-resource-policy': 'same-origin',
  },
};

const asset = (name: string): string => readFileSync(new URL(`./page/${name}`, import.meta.url), 'utf8');

const escaped = (text: string): string => text.replace(/[&<>"']/g, (character) => `&#${character.charCodeAt(0)};`);

/** Where somebody comes who knows no more than the address: a page for browsers, the index of the API for programs. */
@ApiExcludeController()
@PublicRoute()
@Controller()
export class WelcomeController {
  private readonly html = asset('welcome.html');
  private readonly css = PAGE_STYLE + asset('welcome.css');

  constructor(
    private readonly address: PublicAddress,
    private readonly readiness: Readiness,
  ) {}

  @Get()
  @Header('vary', 'Accept')
  async welcome(@Req() request: HaldirRequest, @Res({ passthrough: true }) reply: HaldirReply): Promise<unknown> {
    if (!prefersHtml(String(request.headers.accept ?? ''))) return apiIndex(this.address.of(request, '/docs'));
    void reply.header('content-type', 'text/html; charset=utf-8');
    const wrong = (await this.readiness.check()).filter(({ ok }) => !ok);
    const facts: Record<string, string> = {
      VERSION,
      STATE: wrong.length === 0 ? 'ok' : 'wrong',
      HEALTH:
        wrong.length === 0
          ? 'Ready: database, schema, keys and queues answer.'
          : `Not ready: ${wrong.map(({ name, reason }) => `${name.replace('_', ' ')} (${reason})`).join(', ')}.`,
      ORIGIN: new URL(this.address.of(request, '/')).origin,
    };
    return this.html.replace(/%([A-Z]+)%/g, (_, name: string) => escaped(facts[name] ?? ''));
  }

  @Get('welcome.css')
  @Header('content-type', 'text/css; charset=utf-8')
  style(): string {
    return this.css;
  }
}

/** Browsers ask for `text/html` and never for JSON by name. */
function prefersHtml(accept: string): boolean {
  return /\btext\/html\b/i.test(accept) && !/\bapplication\/json\b/i.test(accept);
}
