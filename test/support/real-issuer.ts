import { createServer } from 'node:http';
import { type AddressInfo } from 'node:net';

/** What an account says of itself, by claims. */
export type Account = Record<string, unknown>;

/** An issuer as others run one (oidc-provider): on this machine, with pages on which anybody signs in as anybody. */
export interface RealIssuer {
  url: string;
  /** By the name that one signs in with, which is their `sub`. */
  accounts: Map<string, Account>;
  stop(): Promise<void>;
}

export const ISSUER_CLIENT = { id: 'haldir', secret: 'secret-of-the-client-at-the-issuer' };

/** @param redirectUris where it sends browsers back to */
export async function startRealIssuer(redirectUris: () => string[]): Promise<RealIssuer> {
  // Loaded by who asks for it: every test loads this file.
  // @ts-expect-error it comes without types
  const { default: Provider } = await import('oidc-provider');
  const accounts = new Map<string, Account>();
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  const { id: client_id, secret: client_secret } = ISSUER_CLIENT;
  const provider = new Provider(url, {
    clients: [{ client_id, client_secret, redirect_uris: redirectUris() }],
    claims: { openid: ['sub'], email: ['email', 'email_verified'], profile: ['name', 'groups'] },
    cookies: { keys: ['key-of-the-cookies-of-the-issuer'] },
    pkce: { required: () => true },
    findAccount: (_: unknown, sub: string) =>
      accounts.has(sub) ? { accountId: sub, claims: () => ({ sub, ...accounts.get(sub) }) } : undefined,
  });
  server.on('request', provider.callback());
  return {
    url,
    accounts,
    stop: () =>
      new Promise((resolve) => {
        server.closeAllConnections();
        server.close(() => resolve());
      }),
  };
}
