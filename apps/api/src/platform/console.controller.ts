import { Controller, Get, Header, Param, Req, Res, StreamableFile } from '@nestjs/common';
import { ApiExcludeController } from '@nestjs/swagger';
import { HaldirError } from '@haldir/kernel';
import {
  type HaldirReply,
  type HaldirRequest,
  type Pages,
  PublicAddress,
  PublicRoute,
  SCRIPTED_PAGE,
} from '@haldir/http';
import { ConsoleFiles } from './console-files.js';
import { CONSOLE_VIEWS } from './console-views.js';
import { apiIndex } from './platform.controller.js';

export const CONSOLE_PAGES: readonly Pages[] = ['/', '/console', ...CONSOLE_VIEWS.map((view) => `/${view}`)].map(
  (prefix) => ({ prefix, headers: SCRIPTED_PAGE }),
);

/** What others serve: an address below these that is none is no view that somebody mistyped. */
const NO_VIEW = /^\/(?:v1|mcp|docs|console|openapi|\.well-known)(?:[/.]|$)/;

class NoConsole extends HaldirError {
  constructor() {
    super('not_found', 'The console is not built: npm run build', { code: 'console_not_built' });
  }
}

class NoConsoleFile extends HaldirError {
  constructor() {
    super('not_found', 'Not found');
  }
}

/** The console, where people work in a browser: files that are the same for everybody, and ask the API for all that they show. */
@ApiExcludeController()
@PublicRoute()
@Controller()
export class ConsoleController {
  constructor(
    private readonly files: ConsoleFiles,
    private readonly address: PublicAddress,
  ) {}

  /** For browsers the console; for programs the index of the API. */
  @Get()
  @Header('vary', 'Accept')
  start(@Req() request: HaldirRequest, @Res({ passthrough: true }) reply: HaldirReply): unknown {
    return prefersHtml(request) ? this.view(request, reply) : apiIndex(this.address.of(request, '/docs'));
  }

  @Get(CONSOLE_VIEWS)
  view(@Req() { url }: HaldirRequest, @Res({ passthrough: true }) reply: HaldirReply): string {
    const page = this.files.page(pathOf(url));
    if (page === null) throw new NoConsole();
    void reply.header('content-type', 'text/html; charset=utf-8');
    return page;
  }

  @Get('console/:file')
  @Header('vary', 'Accept-Encoding')
  file(
    @Param('file') name: string,
    @Req() { headers }: HaldirRequest,
    @Res({ passthrough: true }) reply: HaldirReply,
  ): StreamableFile {
    const file = this.files.file(name);
    if (!file) throw new NoConsoleFile();
    if (file.isHashed) void reply.header('cache-control', 'public, max-age=31536000, immutable');
    const zips = /\bgzip\b/.test(String(headers['accept-encoding'] ?? ''));
    if (zips) void reply.header('content-encoding', 'gzip');
    return new StreamableFile(zips ? file.gzipped : file.body, { type: file.type });
  }
}

/** The page for a browser that came to an address which nobody serves: it says where to go. Null for whatever is none. */
export function unknownPage(files: ConsoleFiles, request: HaldirRequest): string | null {
  const path = pathOf(request.url);
  const isView = ['GET', 'HEAD'].includes(request.method) && prefersHtml(request) && !NO_VIEW.test(path);
  return isView ? files.page(path) : null;
}

const pathOf = (url: string): string => url.split('?')[0] ?? '';

/** Browsers ask for `text/html` and never for JSON by name. */
function prefersHtml({ headers }: HaldirRequest): boolean {
  const accept = String(headers.accept ?? '');
  return /\btext\/html\b/i.test(accept) && !/\bapplication\/json\b/i.test(accept);
}
