import { Controller, Get, Req } from '@nestjs/common';
import { ApiExcludeController } from '@nestjs/swagger';
import { type HaldirRequest, PublicAddress, PublicRoute } from '@haldir/http';

/**
 * RFC 9728, for clients that look for it: `/mcp` takes a bearer token, which is an API key, and names no authorization server
 * because none hands them out.
 */
@ApiExcludeController()
@PublicRoute()
@Controller('.well-known/oauth-protected-resource')
export class ProtectedResourceController {
  constructor(private readonly address: PublicAddress) {}

  @Get(['', 'mcp'])
  describe(@Req() request: HaldirRequest): object {
    return {
      resource: this.address.of(request, '/mcp'),
      resource_name: 'Haldir',
      bearer_methods_supported: ['header'],
      authorization_servers: [],
    };
  }
}
