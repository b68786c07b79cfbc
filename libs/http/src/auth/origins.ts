import { Injectable } from '@nestjs/common';
import { HaldirConfig } from '@haldir/runtime';

export const LOOPBACK_NAMES = ['localhost', '127.0.0.1', '[::1]'];

/**
 * Tells pages of Haldir's own from those of others, also of those that have their host name resolve to this machine (DNS
 * rebinding). An origin is never compared with `Host`, which such a page chooses, too. Programs send no `Origin`.
 */
@Injectable()
export class Origins {
  /** Names that stand for this installation, at any port. */
  readonly names: readonly string[];
  private readonly publicOrigin: string | null;

  constructor({ mcp, publicUrl }: HaldirConfig) {
    this.names = [...LOOPBACK_NAMES, ...mcp.allowedHosts];
    this.publicOrigin = publicUrl === null ? null : new URL(publicUrl).origin;
  }

  /** Whether a request with this `Origin` comes from a page of another one; `null`, which hides it, does. */
  isForeign(origin: string | undefined): boolean {
    if (origin === undefined) return false;
    let url: URL;
    try {
      url = new URL(origin);
    } catch {
      return true;
    }
    if (url.protocol !== 'http:' && url.protocol !== 'https:') return true;
    return url.origin !== this.publicOrigin && !this.names.includes(url.hostname);
  }
}
