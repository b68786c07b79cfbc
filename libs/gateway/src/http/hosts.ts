import { validateHostHeader } from '@modelcontextprotocol/server';
import { Injectable } from '@nestjs/common';
import { Origins } from '@haldir/http';
import { HaldirConfig } from '@haldir/runtime';
import { RpcError, SERVER_ERROR } from './protocol/messages.js';

/** Keeps pages of other origins out, and requests that name another host than this one. */
@Injectable()
export class Hosts {
  /** Null: any, because whoever listens on the network and names none cannot know what it is called there. */
  private readonly allowed: string[] | null;

  constructor(
    private readonly origins: Origins,
    { http, mcp, publicUrl }: HaldirConfig,
  ) {
    const isLocal = origins.names.includes(http.host) || http.host === '::1' || http.host.startsWith('127.');
    const named = [...origins.names, ...(publicUrl === null ? [] : [new URL(publicUrl).hostname])];
    this.allowed = mcp.allowedHosts.length > 0 || isLocal ? named : null;
  }

  /** @throws RpcError for another origin, or another host than this one */
  check(headers: { host?: string | undefined; origin?: string | undefined }): void {
    if (this.allowed && !validateHostHeader(headers.host, this.allowed).ok) throw forbidden('Host');
    if (this.origins.isForeign(headers.origin)) throw forbidden('Origin');
  }
}

function forbidden(header: string): RpcError {
  return new RpcError(SERVER_ERROR, `${header}: not allowed here; MCP_ALLOWED_HOSTS lists the names that are`, {
    status: 403,
  });
}
