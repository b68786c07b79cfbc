import { Injectable } from '@nestjs/common';
import { HaldirError } from '@haldir/kernel';
import { HaldirConfig } from '@haldir/runtime';
import { type HaldirRequest } from './caller.js';
import { LOOPBACK_NAMES } from './origins.js';

/** A request that only a page of Haldir's own may make. */
export class ForeignPage extends HaldirError {
  constructor() {
    super(
      'forbidden',
      "Origin: expected the address of Haldir's own pages: HALDIR_PUBLIC_URL with https, or http://localhost",
      { code: 'foreign_origin' },
    );
  }
}

/**
 * Pages that are served by this Haldir, where people sign in: those of `HALDIR_PUBLIC_URL` if it is https, and those of this
 * machine over http at that port, or at the port that a request came to where nobody else can reach it: behind a port that is mapped
 * the address is not known. Of plain http from elsewhere there are none. An origin
 * is compared as a whole, its port too, and never with `Host`.
 */
@Injectable()
export class OwnPages {
  private readonly publicUrl: URL | null;
  private readonly basePath: string;
  private readonly port: number;
  /** Whether whoever reaches it without a public address is on this machine, and by this port. */
  private readonly isLocal: boolean;

  constructor({ publicUrl, basePath, http }: HaldirConfig) {
    this.publicUrl = publicUrl === null ? null : new URL(publicUrl);
    this.basePath = basePath;
    this.port = http.port;
    this.isLocal = http.host === 'localhost' || http.host === '::1' || /^127(?:\.\d{1,3}){3}$/.test(http.host);
  }

  /**
   * The origin of the page that makes a request.
   *
   * @throws ForeignPage for a request of any other page, and for one that does not say whose it is
   */
  check({ headers: { origin }, socket }: Pick<HaldirRequest, 'headers' | 'socket'>): string {
    if (origin === undefined || !this.originsAt(socket.localPort).includes(origin)) throw new ForeignPage();
    return origin;
  }

  /**
   * The address of a page for people; null where nobody can sign in. Browsers keep cookies apart by name, so this machine is
   * `localhost`.
   */
  addressOf(page: string): string | null {
    const path = this.pathOf(page);
    if (this.publicUrl === null) return !this.isLocal ? null : `http://localhost:${this.port}${path}`;
    if (LOOPBACK_NAMES.includes(this.publicUrl.hostname)) {
      const { protocol, port } = this.publicUrl;
      return `${protocol}//localhost${port === '' ? '' : `:${port}`}${path}`;
    }
    return this.publicUrl.protocol === 'https:' ? this.publicUrl.origin + path : null;
  }

  /** The path of a page as a browser asks for it: below that which a proxy takes away. */
  pathOf(page: string): string {
    return this.basePath + page;
  }

  /** A page with its links, which are paths of Haldir's (`href="/…"`, `src="/…"`), as a browser asks for them. */
  linked(html: string): string {
    return html.replaceAll(/(?<= (?:href|src)=")(?=\/)/g, this.basePath);
  }

  private originsAt(localPort: number | undefined): string[] {
    const { publicUrl } = this;
    if (publicUrl === null && !this.isLocal) return [];
    if (publicUrl === null) return LOOPBACK_NAMES.map((name) => new URL(`http://${name}:${localPort ?? 0}`).origin);
    if (!LOOPBACK_NAMES.includes(publicUrl.hostname)) return publicUrl.protocol === 'https:' ? [publicUrl.origin] : [];
    return LOOPBACK_NAMES.map((name) => {
      const url = new URL(publicUrl);
      url.hostname = name;
      return url.origin;
    });
  }
}
