import { localhostAllowedHostnames, validateHostHeader, validateOriginHeader } from '@modelcontextprotocol/server';
import { Inject, Injectable } from '@nestjs/common';
import { HaldirConfig } from '@haldir/runtime';
import { RpcError, SERVER_ERROR } from './protocol/messages.js';

/**
 * Keeps pages of other origins out, also those that have their host name resolve to this machine (DNS rebinding). Programs
 * send no `Origin`.
 */
@Injectable()
export class Origins {
  /** Null: any, because whoever listens on the network and names none cannot know what it is called there. */
  private readonly hosts: readonly string[] | null;
  private readonly origins: readonly string[];

  constructor(@Inject(HaldirConfig) { http, mcp }: HaldirConfig) {
    const local = localhostAllowedHostnames();
    const isLocal = local.includes(http.host) || http.host === '::1' || http.host.startsWith('127.');
    this.hosts = mcp.allowedHosts.length > 0 || isLocal ? [...mcp.allowedHosts, ...local] : null;
    this.origins = [...mcp.allowedHosts, ...local];
  }

  /** @throws RpcError for another origin, or another host than this one */
  check(headers: { host?: string | undefined; origin?: string | undefined }): void {
    if (this.hosts && !validateHostHeader(headers.host, [...this.hosts]).ok) throw forbidden('Host');
    if (!validateOriginHeader(headers.origin, [...this.origins]).ok) throw forbidden('Origin');
  }
}

function forbidden(header: string): RpcError {
  return new RpcError(SERVER_ERROR, `${header}: not allowed here; MCP_ALLOWED_HOSTS lists the names that are`, {
    status: 403,
  });
}
