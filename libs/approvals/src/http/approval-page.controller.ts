import { readFileSync } from 'node:fs';
import { Controller, Get, Header } from '@nestjs/common';
import { ApiExcludeController } from '@nestjs/swagger';
import { type Pages, PublicRoute } from '@haldir/http';

/**
 * The page takes an API key and shows what agents wrote: no script but its own, which may speak to this API alone; nothing
 * in line, nothing from elsewhere, in nobody's frame, and nobody keeps a handle of its window.
 */
export const APPROVAL_PAGES: Pages = {
  prefix: '/approvals',
  headers: {
    'content-security-policy':
      "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'",
    'cross-origin-opener-policy': 'same-origin',
    'cross-origin-resource-policy': 'same-origin',
  },
};

const asset = (name: string): string => readFileSync(new URL(`./page/${name}`, import.meta.url), 'utf8');

/**
 * Where a human decides on a request: a page that is the same for every id, and reads the request over the API with the key
 * that the human gives it. So the address alone tells nobody whether there is such a request.
 */
@ApiExcludeController()
@PublicRoute()
@Controller('approvals')
export class ApprovalPageController {
  private readonly html = asset('approval.html');
  private readonly js = asset('approval.js');
  private readonly css = asset('approval.css');

  @Get('assets/approval.js')
  @Header('content-type', 'text/javascript; charset=utf-8')
  script(): string {
    return this.js;
  }

  @Get('assets/approval.css')
  @Header('content-type', 'text/css; charset=utf-8')
  style(): string {
    return this.css;
  }

  @Get(':request_id')
  @Header('content-type', 'text/html; charset=utf-8')
  page(): string {
    return this.html;
  }
}
