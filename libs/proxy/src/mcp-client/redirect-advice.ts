/** What to do about an upstream that redirects: Haldir follows no redirects. */
export interface RedirectAdvice {
  /** Quotes nothing that the upstream sent, nor its address. */
  words: string;
  /** The address to register instead, made of the one that is registered; null where only the upstream names it. */
  url: string | null;
}

const ELSEWHERE: RedirectAdvice = {
  words: 'it redirects, and Haldir follows no redirects; register the URL that the server itself listens at',
  url: null,
};

/** @param location as the upstream gave it */
export function adviceOn(registered: string, location: unknown): RedirectAdvice {
  if (typeof location !== 'string' || !URL.canParse(location, registered)) return ELSEWHERE;
  const [from, to] = [new URL(registered), new URL(location, registered)];
  if (to.hostname !== from.hostname || withoutSlash(to.pathname) !== withoutSlash(from.pathname)) return ELSEWHERE;
  const better = new URL(from);
  better.pathname = to.pathname;
  // Servers behind a proxy that ends TLS often redirect to http; that is no address to go to.
  const isSecured = from.protocol === 'http:' && to.protocol === 'https:';
  if (isSecured) {
    better.protocol = 'https:';
    better.port = to.port;
  }
  const changes = [
    ...(isSecured ? ['with https'] : []),
    ...(to.pathname.length > from.pathname.length ? ['with a slash at the end of its path'] : []),
    ...(to.pathname.length < from.pathname.length ? ['without the slash at the end of its path'] : []),
  ];
  if (changes.length === 0) return ELSEWHERE;
  return { words: `it redirects; register its URL ${changes.join(' and ')}`, url: better.href };
}

function withoutSlash(path: string): string {
  return path.endsWith('/') ? path.slice(0, -1) : path;
}
