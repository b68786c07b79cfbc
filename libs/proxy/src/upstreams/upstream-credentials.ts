import { Injectable } from '@nestjs/common';
import { KeyRing, SealBroken, type SealedColumn, TenantKeyGone } from '@haldir/crypto';
import { type Tx } from '@haldir/database';
import { SecretUses, type ToldValue } from '@haldir/vault';
import { UpstreamUnreachable } from '../mcp-client/index.js';
import { AccessTokens, type ClientCredentials } from './access-tokens.js';
import { referencesIn, withReferences } from '../masking/secret-references.js';

/** Headers of an upstream by name, as they were registered: texts that may refer to secrets. */
export type UpstreamHeaders = Readonly<Record<string, string>>;

/** All that an upstream is shown with every request: its headers, and an access token where it asks for one. */
export interface NewCredentials {
  headers: UpstreamHeaders;
  auth: ClientCredentials | null;
}

/** An upstream's credentials before they are registered, sealed as they are kept, or null when it has none. */
export type KeptHeaders = { fresh: NewCredentials } | Buffer | null;

export interface HeadersOwner {
  tenantId: string;
  name: string;
  url: string;
  revision: string;
  headers: KeptHeaders;
}

/** What is sent with every request to an upstream. */
export interface Presented {
  headers: Record<string, string>;
  /** What the upstream is told with it. */
  told: readonly ToldValue[];
  /** Higher than that of all that was resolved before. */
  order: number;
}

const BEARER = 'Bearer ';
const NOTHING: Presented = { headers: {}, told: [], order: 0 };

/** The headers of upstreams: sealed where they are kept, and resolved anew each time they are used. */
@Injectable()
export class UpstreamCredentials {
  private resolved = 0;

  constructor(
    private readonly keys: KeyRing,
    private readonly secrets: SecretUses,
    private readonly tokens: AccessTokens,
  ) {}

  /** As they are kept: bound to the registration, its address included. The first thing a transaction does. */
  async seal(tx: Tx, { tenantId, name, revision, url, headers }: HeadersOwner): Promise<Buffer | null> {
    if (headers === null || Buffer.isBuffer(headers)) return headers;
    const content = Buffer.from(JSON.stringify({ url, ...headers.fresh }));
    return this.keys.sealFor(tx, tenantId, content, placeOf(tenantId, name, revision));
  }

  /**
   * The headers with the newest values of the secrets they refer to, each of which is bound to the whole upstream, and with an
   * access token where the upstream is authorized by one.
   *
   * @param refused what the upstream answered 401 to: a token in it is not used again
   * @throws UpstreamUnreachable when a secret may not be used, no token is given, or the headers do not open where they are;
   * nothing is sent then
   * @throws Unavailable when a use cannot be recorded, or a key is not there
   */
  async resolve(owner: HeadersOwner, refused: Presented | null = null): Promise<Presented> {
    if (owner.headers === null) return NOTHING;
    const { headers: texts, auth } = Buffer.isBuffer(owner.headers)
      ? await this.open(owner, owner.headers)
      : owner.headers.fresh;
    const written = { headers: texts, clientSecret: auth?.clientSecret ?? '' };
    const references = referencesIn(written);
    if ('malformed' in references) throw unusable();
    const opened = await this.secrets.openForUpstream(owner.tenantId, owner.name, references.names);
    if ('refused' in opened) throw unusable();
    const values = new Map(opened.used.map(({ name, text }) => [name, text]));
    const filled = withReferences(written, (name) => values.get(name) ?? '') as typeof written;
    const headers: Record<string, string> = { ...filled.headers };
    if (!Object.values(headers).every(isHeaderValue)) throw unusable();
    // What stands there besides references, which are hidden under the names of their secrets.
    const literal = withReferences(written, () => ' ') as typeof written;
    const told: ToldValue[] = [
      ...opened.used.map(({ name, text }) => ({ name, text, kind: 'secret', expiresAt: null }) as const),
      ...literalsIn(literal),
    ];
    if (auth !== null) {
      const { tenantId, name, revision } = owner;
      const old = refused?.headers['authorization']?.slice(BEARER.length) ?? null;
      const credentials = { ...auth, clientSecret: filled.clientSecret };
      const { token, expiresAt, order } = await this.tokens.tokenFor(
        `${tenantId}/${name}/${revision}`,
        credentials,
        old,
      );
      headers['authorization'] = BEARER + token;
      told.push({ name: 'access token', text: token, kind: 'secret', expiresAt });
      return { headers, told, order };
    }
    return { headers, told, order: ++this.resolved };
  }

  private async open({ tenantId, name, revision, url }: HeadersOwner, sealed: Buffer): Promise<NewCredentials> {
    try {
      const content = await this.keys.openFor(tenantId, sealed, placeOf(tenantId, name, revision));
      const { url: registered, headers, auth } = JSON.parse(content.toString()) as { url: string } & NewCredentials;
      // An address that was changed in the database gets nothing.
      if (registered === url) return { headers, auth };
    } catch (error) {
      // Sealed anew since it was read; the next look finds it.
      if (error instanceof TenantKeyGone) throw new UpstreamUnreachable('credentials', { sent: false, cause: error });
      if (!(error instanceof SealBroken)) throw error;
    }
    throw unusable();
  }
}

/** A shorter text would be found where nobody meant it. */
const MIN_HIDDEN = 8;

/** What stands literally in credentials, and nobody may see. */
function literalsIn({ headers, clientSecret }: { headers: UpstreamHeaders; clientSecret: string }): ToldValue[] {
  const inHeaders = Object.entries(headers)
    .filter(([, text]) => partsOfHeader(text).length > 0)
    .map(([name, text]) => ({ name: `header ${name.toLowerCase()}`, text, kind: 'header', expiresAt: null }) as const);
  if (clientSecret.trim().length < MIN_HIDDEN) return inHeaders;
  return [...inHeaders, { name: 'client secret', text: clientSecret, kind: 'secret', expiresAt: null }];
}

/** The same of what is to be registered, whose references are told when they are resolved. */
export function literalsOf({ headers, auth }: NewCredentials): ToldValue[] {
  const written = { headers, clientSecret: auth?.clientSecret ?? '' };
  return 'malformed' in referencesIn(written) ? [] : literalsIn(withReferences(written, () => ' ') as typeof written);
}

/** A header's text and its parts, such as a token without its scheme: whatever of it nobody may see. */
export function partsOfHeader(text: string): string[] {
  const [, encoded] = /^basic +(\S+)$/i.exec(text) ?? [];
  const [user = '', ...password] = encoded === undefined ? [] : Buffer.from(encoded, 'base64').toString().split(':');
  const parts = [text, ...text.split(/[\s;,]+/), ...text.split(/[\s;,=]+/), user, password.join(':')];
  return [...new Set(parts)].filter((part) => part.trim().length >= MIN_HIDDEN);
}

/** What a list shows of headers: the references in them, and nothing of what else stands there. */
export function shownHeaders(headers: UpstreamHeaders): Record<string, string> {
  return Object.fromEntries(
    Object.entries(headers).map(([name, text]) => {
      const references = referencesIn({ text });
      const names = 'names' in references ? references.names : [];
      return [name, names.length === 0 ? '***' : names.map((secret) => `{{vault:${secret}}}`).join(' ')];
    }),
  );
}

/** What is shown of how an upstream is authorized: where, and as whom. */
export function shownAuth({ auth }: NewCredentials): ShownAuth | null {
  return auth && { type: 'client_credentials', token_origin: new URL(auth.tokenUrl).origin, client_id: auth.clientId };
}

export interface ShownAuth {
  type: 'client_credentials';
  token_origin: string;
  client_id: string;
}

/** Visible ASCII, with spaces and tabs between. */
export function isHeaderValue(text: string): boolean {
  return /^[\x21-\x7e](?:[\t\x20-\x7e]*[\x21-\x7e])?$/.test(text);
}

function unusable(): UpstreamUnreachable {
  return new UpstreamUnreachable('credentials', { sent: false });
}

function placeOf(tenantId: string, name: string, revision: string): string[] {
  return ['haldir.proxy.upstream-headers.v1', tenantId, name, revision];
}

/** The headers of upstreams, as a rotation of keys finds them. */
export const SEALED_UPSTREAM_HEADERS: SealedColumn = {
  table: 'proxy_upstream',
  column: 'headers',
  key: [
    { name: 'name', type: 'text' },
    { name: 'revision', type: 'text' },
  ],
  placeOf: (tenantId, { name = '', revision = '' }) => placeOf(tenantId, name, revision),
};
