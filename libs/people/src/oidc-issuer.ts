import { Injectable } from '@nestjs/common';
import * as client from 'openid-client';
import { Clock } from '@haldir/kernel';
import { Egress } from '@haldir/egress';
import { HaldirConfig, Log, type OidcSettings } from '@haldir/runtime';
import { normalEmail } from './email.js';
import { OidcAway, OidcDeclined, OidcNotGood, OidcNotSetUp } from './oidc.errors.js';
import { type OidcFlow } from './oidc-flows.js';
import { type Claims, OidcRoles } from './oidc-roles.js';
import { type Role } from './roles.js';

/** Of each answer of the issuer, whole. */
const ANSWER_SECONDS = 5;
const ANSWER_MAX_BYTES = 262_144;
/** What it says of itself is good for so long; an issuer that is away is left alone for a moment. */
const KNOWN_MS = 3_600_000;
const AWAY_MS = 2_000;
const CONNECTIONS = 8;
/** As OpenID Connect has it (Core, 2). */
const SUBJECT = /^[\x20-\x7e]{1,255}$/;
const NAME = /^[^\p{C}\p{Zl}\p{Zp}]{0,128}$/u;
/** Codes of openid-client for an answer that is one, but not to what was asked; whatever else goes wrong is the issuer's. */
const NOT_GOOD = [
  ...['OAUTH_INVALID_RESPONSE', 'OAUTH_JWT_CLAIM_COMPARISON_FAILED', 'OAUTH_JWT_TIMESTAMP_CHECK_FAILED'],
  ...['OAUTH_JSON_ATTRIBUTE_COMPARISON_FAILED', 'OAUTH_KEY_SELECTION_FAILED'],
];

/** What a browser brought back from the issuer: parameters of its redirect (RFC 6749, 4.1.2; RFC 9207). */
export interface OidcAnswer {
  state: string;
  code?: string | undefined;
  iss?: string | undefined;
  error?: string | undefined;
}

/** Somebody, as the issuer says. */
export interface OidcUser {
  issuer: string;
  subject: string;
  /** In lower case; null where the issuer does not say that it is theirs. */
  email: string | null;
  /** Empty where it is not told, or could not be shown. */
  name: string;
  /** By the claim and the map; null for none. */
  role: Role | null;
}

/**
 * The issuer that people sign in by (OpenID Connect Core, with PKCE). It is asked when it is first needed, and all that is sent to
 * it goes the way of every outbound request, within the same walls.
 */
@Injectable()
export class OidcIssuer {
  readonly roles: OidcRoles | null;
  private readonly settings: OidcSettings | null;
  private known: { configuration: client.Configuration; until: number } | undefined;
  private asked: Promise<client.Configuration> | undefined;
  private awayUntil = 0;

  /** @throws ConfigError for a role that there is not */
  constructor(
    { oidc }: HaldirConfig,
    private readonly egress: Egress,
    private readonly clock: Clock,
    private readonly log: Log,
  ) {
    this.settings = oidc;
    this.roles = oidc && new OidcRoles(oidc);
  }

  /** As people know it; null where none is set. */
  get name(): string | null {
    return this.settings?.name ?? null;
  }

  /** Where the browser goes. @throws OidcNotSetUp, OidcAway */
  async addressOf({ state, nonce, verifier }: OidcFlow, redirectUri: string): Promise<string> {
    const { scope } = this.setUp();
    const configuration = await this.configuration();
    try {
      const challenge = await client.calculatePKCECodeChallenge(verifier);
      return client.buildAuthorizationUrl(configuration, {
        redirect_uri: redirectUri,
        scope,
        state,
        nonce,
        code_challenge: challenge,
        code_challenge_method: 'S256',
      }).href;
    } catch (error) {
      throw this.failureOf(error);
    }
  }

  /**
   * Whom the issuer signed in. What it says is checked whole: state, issuer (RFC 9207), audience, nonce, time, and the signature of
   * the ID token by the issuer's own keys.
   *
   * @throws OidcNotSetUp, OidcNotGood, OidcDeclined, OidcAway
   */
  async userOf({ state, nonce, verifier }: OidcFlow, answer: OidcAnswer, redirectUri: string): Promise<OidcUser> {
    this.setUp();
    const configuration = await this.configuration();
    const address = new URL(redirectUri);
    for (const [name, value] of Object.entries(answer) as [string, string | undefined][])
      if (value !== undefined) address.searchParams.set(name, value);
    try {
      const tokens = await client.authorizationCodeGrant(configuration, address, {
        expectedState: state,
        expectedNonce: nonce,
        pkceCodeVerifier: verifier,
        idTokenExpected: true,
      });
      const claims = tokens.claims();
      if (!claims || !SUBJECT.test(claims.sub)) throw new OidcNotGood();
      return this.read(claims, await this.moreOf(configuration, claims, tokens.access_token));
    } catch (error) {
      throw this.failureOf(error);
    }
  }

  /** @throws OidcNotSetUp */
  private setUp(): OidcSettings {
    if (!this.settings) throw new OidcNotSetUp();
    return this.settings;
  }

  /** What the ID token does not say, where the issuer has another place for it (Core, 5.3), about the same subject. */
  private async moreOf(configuration: client.Configuration, claims: client.IDToken, token: string): Promise<Claims> {
    const isTold = claims['email'] !== undefined && this.roles?.isTold(claims) === true;
    if (isTold || configuration.serverMetadata().userinfo_endpoint === undefined) return {};
    return client.fetchUserInfo(configuration, token, claims.sub);
  }

  private read(claims: client.IDToken, more: Claims): OidcUser {
    const all: Claims = { ...more, ...claims };
    // An address is verified by whatever names it, or not at all.
    const { email, email_verified: isVerified } = claims['email'] === undefined ? more : claims;
    return {
      issuer: claims.iss,
      subject: claims.sub,
      email: typeof email === 'string' && isVerified === true ? normalEmail(email) : null,
      name: typeof all['name'] === 'string' && NAME.test(all['name']) ? all['name'] : '',
      role: this.roles?.roleOf(all) ?? null,
    };
  }

  private async configuration(): Promise<client.Configuration> {
    const now = this.clock.now().getTime();
    if (this.known && this.known.until > now) return this.known.configuration;
    if (!this.known && this.awayUntil > now) throw new OidcAway();
    this.asked ??= this.discover().finally(() => {
      this.asked = undefined;
    });
    return this.asked;
  }

  private async discover(): Promise<client.Configuration> {
    const { issuer, clientId, clientSecret } = this.setUp();
    const at = (): number => this.clock.now().getTime();
    try {
      const configuration = await client.discovery(issuer, clientId, undefined, authenticationBy(clientSecret), {
        [client.customFetch]: this.fetch,
        timeout: ANSWER_SECONDS,
        // By http from this machine alone, as the settings have it.
        execute: [
          client.enableNonRepudiationChecks,
          ...(issuer.protocol === 'http:' ? [client.allowInsecureRequests] : []),
        ],
      });
      // The library lets some say that they are another, who would then speak for everybody's accounts.
      if (new URL(configuration.serverMetadata().issuer).href !== issuer.href) throw new Error('another issuer');
      this.known = { configuration, until: at() + KNOWN_MS };
      return configuration;
    } catch (error) {
      this.awayUntil = at() + AWAY_MS;
      const failure = this.failureOf(error, true);
      if (!this.known) throw failure;
      // What it said before is good until it says something else.
      this.known.until = at() + AWAY_MS;
      return this.known.configuration;
    }
  }

  private readonly fetch: client.CustomFetch = async (url, { method, headers, body, signal }) => {
    const answer = await this.egress.request({
      method: method === 'POST' ? 'POST' : 'GET',
      url,
      headers,
      decode: true,
      ...(body === undefined || body === null ? {} : { body: textOf(body) }),
      deadlineMs: ANSWER_SECONDS * 1000,
      maxResponseBytes: ANSWER_MAX_BYTES,
      ...(signal ? { signal } : {}),
      pool: { key: 'oidc', connections: CONNECTIONS },
    });
    const type = answer.headers['content-type'];
    const { status } = answer;
    return new Response(new Uint8Array(answer.body), {
      status,
      headers: typeof type === 'string' ? { 'content-type': type } : {},
    });
  };

  /** Nothing of what the issuer said is passed on; the operator's log has what kind of failure it was. */
  private failureOf(error: unknown, isDiscovery = false): OidcNotGood | OidcDeclined | OidcAway {
    if (error instanceof OidcNotGood || error instanceof OidcAway) return error;
    if (!isDiscovery && error instanceof client.AuthorizationResponseError) return new OidcDeclined();
    const code = codeOf(error);
    const isNotGood =
      error instanceof client.ResponseBodyError ? error.error === 'invalid_grant' : NOT_GOOD.includes(code);
    this.log.warn({ event: 'oidc.failed', code, reason: reasonOf(error), discovery: isDiscovery });
    return isNotGood && !isDiscovery ? new OidcNotGood() : new OidcAway();
  }
}

/** As the issuer takes it: in the header, unless it says that it takes it in the body alone (Discovery, 3). */
function authenticationBy(secret: string | null): client.ClientAuth {
  if (secret === null) return client.None();
  const [inHeader, inBody] = [client.ClientSecretBasic(secret), client.ClientSecretPost(secret)];
  return (server, ...rest) => {
    const methods = server.token_endpoint_auth_methods_supported;
    const isHeader = methods === undefined || methods.includes('client_secret_basic');
    return (isHeader ? inHeader : inBody)(server, ...rest);
  };
}

function textOf(body: Exclude<client.FetchBody, null | undefined>): string {
  if (typeof body === 'string' || body instanceof URLSearchParams) return String(body);
  throw new Error('a form or a text is sent to an issuer');
}

function codeOf(error: unknown): string {
  const { code } = error as { code?: unknown };
  return typeof code === 'string' && /^[A-Z_]{1,64}$/.test(code) ? code : 'none';
}

/** One of a closed set: how an outbound request failed, or what a token endpoint says is wrong with how it was asked (RFC 6749, 5.2). */
function reasonOf(error: unknown): string | null {
  if (error instanceof client.ResponseBodyError)
    return ['invalid_client', 'unauthorized_client', 'invalid_request'].find((each) => each === error.error) ?? null;
  const { reason } = (error instanceof Error ? (error.cause ?? {}) : {}) as { reason?: unknown };
  return typeof reason === 'string' ? reason : null;
}
