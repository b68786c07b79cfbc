/** `__Host-`: browsers take it only over TLS or at loopback, for this host alone, and let no other host set it. */
const NAME = '__Host-haldir';
/** 256 random bits in base64url. */
const TOKEN = /^[A-Za-z0-9_-]{43}$/;

/** The value of the first cookie of that name in a `Cookie` header; null when there is none. */
export function cookieIn(header: string | undefined, name: string): string | null {
  for (const pair of (header ?? '').split(';')) {
    const [found, value = ''] = pair.trim().split('=', 2);
    if (found === name) return value;
  }
  return null;
}

/** The token in the cookie of a person; null when there is none. */
export function personCookieOf(header: string | undefined): string | null {
  const value = cookieIn(header, NAME);
  return value !== null && TOKEN.test(value) ? value : null;
}

/** What sets it, for so long. */
export function personCookie(token: string, seconds: number): string {
  return `${NAME}=${token}; Path=/; Max-Age=${seconds}; Secure; HttpOnly; SameSite=Lax`;
}

/** What has a browser forget it. */
export const NO_PERSON_COOKIE = personCookie('', 0);
