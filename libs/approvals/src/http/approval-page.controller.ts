import { readFileSync } from 'node:fs';
import { Controller, Get, Header } from '@nestjs/common';
import { ApiExcludeController } from '@nestjs/swagger';
import { OwnPages, PAGE_STYLE, type Pages, PublicRoute, SCRIPTED_PAGE } from '@haldir/http';

export const APPROVAL_PAGES: Pages = { prefix: '/approvals', headers: SCRIPTED_PAGE };

const asset = (name: string): string => readFileSync(new URL(`./page/${name}`, import.meta.url), 'utf8');

/**
 * Where a human decides on a request: a page that is the same for every id, and reads the request over the API as the
 * person who is signed in, or with the key that the human gives it. So the address alone tells nobody whether there is such a request.
 */
@ApiExcludeController()
@PublicRoute()
@Controller('approvals')
export class ApprovalPageController {
  private readonly html: string;
  private readonly js = asset('approval.js');
  private readonly css = PAGE_STYLE + asset('approval.css');

  constructor(pages: OwnPages) {
    this.html = pages.linked(asset('approval.html'));
  }

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
