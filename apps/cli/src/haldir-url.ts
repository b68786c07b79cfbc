import { UsageError } from './command.js';

/**
 * Where Haldir is, with a slash at its end, so that addresses below it can be resolved.
 *
 * @throws UsageError for no URL of HTTP, and for one with credentials, a query or a fragment: no request has them, and files and logs would
 */
export function haldirUrl(text: string): URL {
  const url = URL.canParse(text) ? new URL(text) : null;
  if (url?.protocol !== 'http:' && url?.protocol !== 'https:')
    throw new UsageError('the URL of Haldir should be one like http://127.0.0.1:3000');
  if (`${url.username}${url.password}${url.search}${url.hash}` !== '')
    throw new UsageError(
      'the URL of Haldir should have no user, password, query or fragment; the key is in HALDIR_API_KEY',
    );
  // One that is empty leaves its sign.
  url.search = url.hash = '';
  if (!url.pathname.endsWith('/')) url.pathname += '/';
  return url;
}

/** Where it is unless told otherwise. */
export const DEFAULT_URL = 'http://127.0.0.1:3000';

/**
 * Says of an answer that is none of Haldir's what it was. Redirects are not followed: key, session and what is said would go to where
 * nobody has sent them.
 */
export function answeredWith(status: number): string {
  const said = `Haldir answered with HTTP ${status}`;
  if (status < 300 || status >= 400) return said;
  return `${said}, a redirect, which is not followed; set HALDIR_URL or --url to the address that Haldir itself has`;
}
