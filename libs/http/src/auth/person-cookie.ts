/** `__Host-`: browsers take it only over TLS or at loopback, for this host alone, and let no other host set it. */
const NAME = '__Host-haldir';
/** 256 random bits in base64url. */
const TOKEN = /^[A-Za-z0-9_-]{43}$/;

/** The token in the cookie of a person; null when there is none. */
export function personCookieOf(header: string | undefined): string | null {
  for (const pair of (header ?? '').split(';')) {
    const [name, value = ''] = pair.trim().split('=', 2);
    if (name === NAME) return TOKEN.test(value) ? value : null;
  }
  return null;
}

/** What sets it, for so long. */
export function personCookie(token: string, seconds: number): string {
  return `${NAME}=${token}; Path=/; Max-Age=${seconds}; Secure; HttpOnly; SameSite=Lax`;
}

/** What has a browser forget it. */
export const NO_PERSON_COOKIE = personCookie('', 0);
