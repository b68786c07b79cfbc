/** Whether a text is a URL of PostgreSQL that can be read: one with a bare `/` or `#` in its password cannot. */
export function isDatabaseUrl(text: string): boolean {
  // A URL may leave its host out, when the parameter `host` names a socket.
  return /^postgres(ql)?:\/\//.test(text) && URL.canParse(text.replace('@/', '@localhost/'));
}

/** The URL with the password that was given beside it, whatever characters that has; as it is when none was. */
export function withPassword(url: string, password: string | null | undefined): string {
  if (!password) return url;
  return url.replace(/^(\w+:\/\/[^:@/?#]+)(:[^@]*)?@/, (_, user: string) => `${user}:${encodeURIComponent(password)}@`);
}

/**
 * What a setting such as DATABASE_URL says, with the password that may stand beside it (DATABASE_PASSWORD). An empty text
 * when it is not set.
 */
export function databaseUrl(
  env: Readonly<Record<string, string | undefined>>,
  setting: 'DATABASE_URL' | 'WORKER_DATABASE_URL' | 'DATABASE_OWNER_URL',
): string {
  return withPassword(env[setting] ?? '', env[setting.replace('_URL', '_PASSWORD')]);
}
