import { readFileSync } from 'node:fs';
import { type HaldirRequest } from '../auth/caller.js';

/** Routes that serve pages for humans, and what a browser may do there. */
export interface Pages {
  /** Of the routes' templates, such as `/docs`. */
  prefix: string;
  /** In addition to the security headers of every answer, or in place of them. */
  headers: Readonly<Record<string, string>>;
}

/** The pages of a process. */
export interface ServedPages {
  served: readonly Pages[];
  /** The page for an address that nobody serves, in place of a refusal; null where a refusal it is. */
  unknown: (request: HaldirRequest) => string | null;
}

/** How every page looks; what a page has besides comes after it. */
export const PAGE_STYLE = readFileSync(new URL('./page.css', import.meta.url), 'utf8');

/**
 * Of a page that takes credentials and shows what others wrote: no script but its own, which may speak to this API alone; nothing in line,
 * nothing from elsewhere, in nobody's frame, and nobody keeps a handle of its window.
 */
export const SCRIPTED_PAGE: Pages['headers'] = {
  'content-security-policy':
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'",
  'cross-origin-opener-policy': 'same-origin',
  'cross-origin-resource-policy': 'same-origin',
};
