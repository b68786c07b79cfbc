import { Controller, Get, Req } from '@nestjs/common';
import { ApiExcludeController } from '@nestjs/swagger';
import { type HaldirRequest, PublicRoute } from '@haldir/http';

/**
 * RFC 9728, for clients that look for it: `/mcp` takes a bearer token, which is an API key, and names no authorization server
 * because none hands them out.
 */
@ApiExcludeController()
@PublicRoute()
@Controller('.well-known/oauth-protected-resource')
export class ProtectedResourceController {
  @Get(['', 'mcp'])
  describe(@Req() { protocol, host }: HaldirRequest): object {
    const origin = `${protocol}://${host}`;
    return {
      resource: URL.canParse(origin) ? new URL('/mcp', origin).href : `${protocol}://localhost/mcp`,
      resource_name: 'Haldir',
      bearer_methods_supported: ['header'],
      authorization_servers: [],
    };
  }
}
