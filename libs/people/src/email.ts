const EMAIL = /^[A-Za-z0-9.!#$%&'*+/=?^_`{|}~-]+@[A-Za-z0-9-]+(?:\.[A-Za-z0-9-]+)*$/;
const MAX_CHARS = 254;

/** An e-mail address as it is kept, in lower case; null for what is none. ASCII alone, so that no two look alike. */
export function normalEmail(text: string): string | null {
  return text.length <= MAX_CHARS && EMAIL.test(text) ? text.toLowerCase() : null;
}
