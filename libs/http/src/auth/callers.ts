import { Injectable } from '@nestjs/common';
import { type HaldirError } from '@haldir/kernel';
import { Authenticator, MissingKeyScope, PersonAuthenticator, Unauthenticated } from './authenticator.js';
import { type Caller, grantsKeyScope, type HaldirRequest, hasKey, type KeyScope, PAGE_TOKEN_HEADER } from './caller.js';
import { OwnPages } from './own-pages.js';
import { personCookieOf } from './person-cookie.js';

/** Who sends a request, by what it carries and as that stands when they are asked. */
@Injectable()
export class Callers {
  constructor(
    private readonly authenticator: Authenticator,
    private readonly persons: PersonAuthenticator,
    private readonly pages: OwnPages,
  ) {}

  /**
   * By a key, in either header; two different keys are none. Without a key, by the cookie of a person, with what their page has.
   *
   * @throws Unauthenticated; ForeignPage when a person's request changes something and does not come from a page of Haldir's own
   */
  of(request: HaldirRequest): Promise<Caller> {
    return this.behind(request, true);
  }

  /** Who has sent a request that is still open, which is no further request; null when its key is good no more. */
  async standing(request: HaldirRequest): Promise<Caller | null> {
    try {
      return await this.behind(request, false);
    } catch (error) {
      if (error instanceof Unauthenticated) return null;
      throw error;
    }
  }

  /** Why a request that has waited is no longer let go on; null when it is. */
  async refusal(request: HaldirRequest, scope: KeyScope): Promise<HaldirError | null> {
    try {
      const { scopes } = await this.of(request);
      return grantsKeyScope(scopes, scope) ? null : new MissingKeyScope(scope);
    } catch (error) {
      if (error instanceof Unauthenticated) return error;
      throw error;
    }
  }

  private async behind(request: HaldirRequest, isRequest: boolean): Promise<Caller> {
    if (!hasKey(request)) return this.personBehind(request, isRequest);
    const { authorization, 'x-api-key': apiKey } = request.headers;
    const bearer = /^Bearer +(\S+) *$/i.exec(authorization ?? '')?.[1];
    const header = typeof apiKey === 'string' ? apiKey : undefined;
    if (bearer === undefined || header === undefined || bearer === header) {
      const key = bearer ?? header;
      const caller = key === undefined ? null : await this.authenticator.authenticate(key, isRequest);
      if (!caller) throw new Unauthenticated();
      return caller;
    }
    const [byBearer, byHeader] = await Promise.all([
      this.authenticator.authenticate(bearer, isRequest),
      this.authenticator.authenticate(header, isRequest),
    ]);
    if (byBearer && byHeader) throw new Unauthenticated('Authorization and X-API-Key name different keys');
    const caller = byBearer ?? byHeader;
    if (!caller) throw new Unauthenticated();
    return caller;
  }

  private async personBehind(request: HaldirRequest, isRequest: boolean): Promise<Caller> {
    const [cookie, pageToken] = [personCookieOf(request.headers.cookie), request.headers[PAGE_TOKEN_HEADER]];
    if (cookie === null || typeof pageToken !== 'string') throw new Unauthenticated();
    if (request.method !== 'GET' && request.method !== 'HEAD') this.pages.check(request);
    const caller = await this.persons.authenticate(cookie, pageToken, isRequest);
    if (!caller) throw new Unauthenticated('You are not signed in, or no longer');
    return caller;
  }
}
