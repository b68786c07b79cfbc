import { Injectable } from '@nestjs/common';
import { Egress, EgressFailed, EgressRefused, type EgressResponse } from '@haldir/egress';
import { Clock } from '@haldir/kernel';
import { isObject } from '@haldir/mcp';
import { HaldirConfig } from '@haldir/runtime';
import { LRUCache } from 'lru-cache';
import { UpstreamUnreachable } from '../mcp-client/index.js';

/** How an upstream is authorized by OAuth 2.0 client credentials (RFC 6749, section 4.4). */
export interface ClientCredentials {
  tokenUrl: string;
  clientId: string;
  /** Where it is kept, a text that may refer to a secret. */
  clientSecret: string;
  scope: string | null;
  /** The upstream by the name its authorization server knows it by (RFC 8707). */
  resource: string | null;
}

export interface AccessToken {
  token: string;
  /** When the upstream will take it no more, as far as anybody knows. */
  expiresAt: Date;
  /** Higher than that of every token that was in use before it was got. */
  order: number;
}

const MAX_KEPT = 1_000;
const DEADLINE_MS = 10_000;
const MAX_ANSWER_BYTES = 64 * 1024;
/** Of a token that says nothing of it. */
const LIFETIME_SECONDS = 300;
/** One that says nothing of it is taken to be good for a day, and none for longer than that many. */
const DAY_MS = 86_400_000;
const MAX_DAYS = 90;
/** Before its end a token is not used any more: a minute, or a tenth of a short life. */
const MARGIN_SECONDS = 60;

/** Access tokens for upstreams: asked for once for all that need one, and kept in the process until shortly before they expire. */
@Injectable()
export class AccessTokens {
  private readonly kept = new LRUCache<string, Omit<AccessToken, 'order'>>({ max: MAX_KEPT });
  private readonly underWay = new Map<string, Promise<AccessToken>>();
  private order = 0;

  constructor(
    private readonly egress: Egress,
    private readonly config: HaldirConfig,
    private readonly clock: Clock,
  ) {}

  /**
   * @param key of the registration that the token is for
   * @param refused a token that the upstream does not take any more; null while it has refused none
   * @throws UpstreamUnreachable when none is given
   */
  async tokenFor(key: string, credentials: ClientCredentials, refused: string | null): Promise<AccessToken> {
    const kept = this.kept.get(key);
    if (kept !== undefined && kept.token !== refused) return { ...kept, order: ++this.order };
    let asking = this.underWay.get(key);
    if (!asking) {
      asking = this.ask(key, credentials).finally(() => this.underWay.delete(key));
      this.underWay.set(key, asking);
    }
    return asking;
  }

  private async ask(key: string, credentials: ClientCredentials): Promise<AccessToken> {
    const { clientId, clientSecret } = credentials;
    const basic = `Basic ${Buffer.from(`${formEncoded(clientId)}:${formEncoded(clientSecret)}`).toString('base64')}`;
    let answer = await this.post(credentials, { authorization: basic }, {});
    // A server need not take both forms (section 2.3.1), and says so in the same words as of a wrong secret.
    if (isClientRefused(answer))
      answer = await this.post(credentials, {}, { client_id: clientId, client_secret: clientSecret });
    const said = answer.status === 200 ? jsonIn(answer) : null;
    const token = said?.['access_token'];
    const type = said?.['token_type'];
    if (typeof token !== 'string' || !/^[\x21-\x7e]{8,8192}$/.test(token)) throw noToken(answer.status);
    if (typeof type !== 'string' || type.toLowerCase() !== 'bearer') throw noToken(answer.status);
    const expiresAt = new Date(this.clock.now().getTime() + goodForMs(said?.['expires_in']));
    this.kept.set(key, { token, expiresAt }, { ttl: usableMs(said?.['expires_in']) });
    return { token, expiresAt, order: ++this.order };
  }

  private async post(
    { tokenUrl, scope, resource }: ClientCredentials,
    headers: Record<string, string>,
    client: Record<string, string>,
  ): Promise<EgressResponse> {
    const form = new URLSearchParams({
      grant_type: 'client_credentials',
      ...client,
      ...(scope === null ? {} : { scope }),
      ...(resource === null ? {} : { resource }),
    });
    try {
      return await this.egress.request({
        method: 'POST',
        url: tokenUrl,
        headers: {
          ...headers,
          'content-type': 'application/x-www-form-urlencoded',
          accept: 'application/json',
          'accept-encoding': 'identity',
        },
        decode: true,
        body: form.toString(),
        deadlineMs: Math.min(DEADLINE_MS, this.config.upstreams.timeoutMs),
        maxResponseBytes: MAX_ANSWER_BYTES,
      });
    } catch (error) {
      if (error instanceof EgressFailed || error instanceof EgressRefused)
        throw new UpstreamUnreachable('token', { sent: false, cause: error });
      throw error;
    }
  }
}

function isClientRefused(answer: EgressResponse): boolean {
  return answer.status === 401 || (answer.status === 400 && jsonIn(answer)?.['error'] === 'invalid_client');
}

function jsonIn({ body }: EgressResponse): Record<string, unknown> | null {
  try {
    const said: unknown = JSON.parse(body.toString());
    return isObject(said) ? said : null;
  } catch {
    return null;
  }
}

function usableMs(expiresIn: unknown): number {
  const seconds = typeof expiresIn === 'number' && expiresIn > 0 ? Math.min(expiresIn, 86_400) : LIFETIME_SECONDS;
  return Math.max(1, Math.floor((seconds - Math.min(MARGIN_SECONDS, seconds / 10)) * 1000));
}

function goodForMs(expiresIn: unknown): number {
  return typeof expiresIn === 'number' && expiresIn > 0 ? Math.min(expiresIn * 1000, MAX_DAYS * DAY_MS) : DAY_MS;
}

/** application/x-www-form-urlencoded, as section 2.3.1 wants it before Base64. */
function formEncoded(text: string): string {
  return new URLSearchParams([['', text]]).toString().slice(1);
}

function noToken(status: number): UpstreamUnreachable {
  return new UpstreamUnreachable('token', { sent: false, status });
}
