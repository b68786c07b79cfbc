import { hash, randomBytes } from 'node:crypto';
import { Client, type Reply } from './client.js';
import { type SignedInBody } from './person.js';

export type Returned = Record<string, string>;
export type SignedInByOidc = SignedInBody & { return_to: string; code: string; error: string; field: string };

/**
 * A browser in which somebody signs in by an issuer, and the page of Haldir's in it. Its requests to Haldir go to the processes in
 * turn, none of which listens where they all think that they are.
 */
export class OidcBrowser {
  readonly pageSecret = randomBytes(32).toString('base64url');
  /** By origin and name. */
  private readonly jar = new Map<string, Map<string, string>>();
  private turn = 0;

  constructor(
    readonly origin: string,
    private readonly apis: readonly { url: string }[],
  ) {}

  /** A whole sign-in. */
  async signIn(login: string): Promise<Reply<SignedInByOidc>> {
    return this.finish(await this.comeBack(await this.atIssuer(await this.begin(), login)));
  }

  /** Where the issuer is to sign somebody in. */
  async begin(returnTo?: string): Promise<URL> {
    const asked = new URLSearchParams({ page: hash('sha256', this.pageSecret, 'base64url') });
    if (returnTo !== undefined) asked.set('return_to', returnTo);
    return this.follow(new URL(`${this.origin}/v1/sign-in/oidc?${asked.toString()}`));
  }

  /** Where a link of a page leads. */
  async follow(link: URL): Promise<URL> {
    const { status, headers } = await this.go(link.href);
    if (status !== 302) throw new Error(`not sent anywhere: ${status}`);
    return new URL(headers.get('location') ?? '', this.origin);
  }

  /** Signs in at the issuer, and agrees to all; the address that it sends the browser back to. */
  async atIssuer(authorization: URL, login: string): Promise<URL> {
    let address = authorization;
    for (let step = 0; step < 20 && address.origin === authorization.origin; step++) {
      let answer = await this.go(address.href);
      if (answer.status === 200) {
        const [, prompt = ''] = /name="prompt" value="(\w+)"/.exec(await answer.text()) ?? [];
        answer = await this.go(address.href, new URLSearchParams({ prompt, login, password: 'any' }));
      }
      const location = answer.headers.get('location');
      if (location === null) throw new Error(`the issuer answered ${answer.status}: ${await answer.text()}`);
      address = new URL(location, address);
    }
    return address;
  }

  /** Goes where the issuer sends it, and answers what the page has behind the # of its address. */
  async comeBack(callback: URL): Promise<Returned> {
    const { status, headers } = await this.go(callback.href);
    const address = new URL(headers.get('location') ?? '', this.origin);
    if (status !== 302 || address.origin !== this.origin || address.pathname !== '/welcome' || address.search !== '')
      throw new Error(`not back at the page: ${status} ${address.href}`);
    if (!address.hash.startsWith('#oidc&')) throw new Error('the page is told nothing');
    return Object.fromEntries(new URLSearchParams(address.hash.slice('#oidc&'.length)));
  }

  /** What the page does then. */
  async finish(
    returned: Returned,
    otherwise: object = {},
    headers: Record<string, string> = {},
  ): Promise<Reply<SignedInByOidc>> {
    const page = { cookie: this.cookies(this.origin), origin: this.origin, ...headers };
    const body = { ...returned, page_secret: this.pageSecret, ...otherwise };
    const answer = await new Client(this.api().url, null).post<SignedInByOidc>('/v1/sign-in/oidc', body, page);
    this.keep(this.origin, answer.headers);
    return answer;
  }

  /** As a `Cookie` header has them. */
  cookies(origin: string): string {
    return [...(this.jar.get(origin) ?? [])].map(([name, value]) => `${name}=${value}`).join('; ');
  }

  private async go(address: string, form?: URLSearchParams): Promise<Response> {
    const { origin, pathname, search } = new URL(address);
    const answer = await fetch((origin === this.origin ? this.api().url : origin) + pathname + search, {
      ...{
        method: form ? 'POST' : 'GET',
        redirect: 'manual',
        headers: { cookie: this.cookies(origin), accept: 'text/html' },
      },
      ...(form && { body: form }),
    });
    this.keep(origin, answer.headers);
    return answer;
  }

  private keep(origin: string, headers: Headers): void {
    const jar = this.jar.get(origin) ?? new Map<string, string>();
    for (const set of headers.getSetCookie()) {
      const [, name = '', value = ''] = /^([^=]+)=([^;]*)/.exec(set) ?? [];
      if (/Max-Age=0\b/i.test(set) || value === '') jar.delete(name);
      else jar.set(name, value);
    }
    this.jar.set(origin, jar);
  }

  private api(): { url: string } {
    const api = this.apis[this.turn++ % this.apis.length];
    if (!api) throw new Error('there is a process');
    return api;
  }
}
