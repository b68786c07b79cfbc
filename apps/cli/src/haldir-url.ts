import { UsageError } from './command.js';

/** Where Haldir is, with a slash at its end, so that addresses below it can be resolved. @throws UsageError for no URL of HTTP */
export function haldirUrl(text: string): URL {
  const url = URL.canParse(text) ? new URL(text) : null;
  if (url?.protocol !== 'http:' && url?.protocol !== 'https:')
    throw new UsageError('the URL of Haldir should be one like http://127.0.0.1:3000');
  if (!url.pathname.endsWith('/')) url.pathname += '/';
  return url;
}

/** Where it is unless told otherwise. */
export const DEFAULT_URL = 'http://127.0.0.1:3000';
