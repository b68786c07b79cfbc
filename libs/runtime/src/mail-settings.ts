import { type z } from 'zod';
import { LOOPBACK_NAMES, missingSetting } from './config-error.js';
import { optionalText } from './oidc-settings.js';

const URL_EXAMPLE = 'HALDIR_SMTP_URL=smtps://user:password@smtp.example.com';
const FROM_EXAMPLE = 'HALDIR_MAIL_FROM=haldir@example.com';
const ADDRESS = /^[A-Za-z0-9.!#$%&'*+/=?^_`{|}~-]{1,64}@[A-Za-z0-9-]+(?:\.[A-Za-z0-9-]+)*$/;

/** By which server people are sent e-mail; each is checked as it stands, and by `readMailSettings` together. */
export const MAIL_SETTINGS = {
  HALDIR_SMTP_URL: optionalText
    .refine((text) => text === null || serverIn(text) !== null)
    .meta({
      expects:
        'smtps://user:password@host:port, or smtp:// for STARTTLS; special characters of user and password encoded; ?tls=off for no TLS',
      example: URL_EXAMPLE,
    }),
  HALDIR_MAIL_FROM: optionalText
    .refine((text) => text === null || (text.length <= 254 && ADDRESS.test(text)))
    .meta({ expects: 'an e-mail address', example: FROM_EXAMPLE }),
};

/** An SMTP server, and as whom it is spoken to. */
export interface SmtpServer {
  host: string;
  port: number;
  /**
   * `implicit`: from the first byte; `starttls`: before anything is said, or nothing is; `none`: never, as of a server on this machine
   * unless the setting says `?tls=required`, or of any with `?tls=off`.
   */
  tls: 'implicit' | 'starttls' | 'none';
  auth: { user: string; pass: string } | null;
}

/** How people are sent e-mail. */
export interface MailSettings {
  server: SmtpServer;
  /** The address that mails come from. */
  from: string;
}

type MailTexts = { [Name in keyof typeof MAIL_SETTINGS]: z.output<(typeof MAIL_SETTINGS)[Name]> };

/** Null where no server is set. @throws ConfigError for one setting without the other */
export function readMailSettings({ HALDIR_SMTP_URL: url, HALDIR_MAIL_FROM: from }: MailTexts): MailSettings | null {
  const server = url === null ? null : serverIn(url);
  if (server === null && from === null) return null;
  if (server === null) throw missingSetting('HALDIR_SMTP_URL', 'the address of an SMTP server', URL_EXAMPLE);
  if (from === null) throw missingSetting('HALDIR_MAIL_FROM', 'an e-mail address', FROM_EXAMPLE);
  return { server, from };
}

/** Null for what is no address of an SMTP server. */
function serverIn(text: string): SmtpServer | null {
  if (!/^smtps?:\/\/[^/\\\s]+$/.test(text) || !URL.canParse(text)) return null;
  const { protocol, hostname, port, username, password, pathname, search, hash } = new URL(text);
  if (hostname === '' || pathname !== '' || hash !== '' || !['', '?tls=off', '?tls=required'].includes(search))
    return null;
  if ((username === '') !== (password === '')) return null;
  if (protocol === 'smtps:' && search !== '') return null;
  const isPlain = search === '' ? LOOPBACK_NAMES.includes(hostname) : search === '?tls=off';
  const tls = protocol === 'smtps:' ? 'implicit' : isPlain ? 'none' : 'starttls';
  try {
    const auth = username === '' ? null : { user: decodeURIComponent(username), pass: decodeURIComponent(password) };
    const host = hostname.startsWith('[') ? hostname.slice(1, -1) : hostname;
    return { host, port: port === '' ? (tls === 'implicit' ? 465 : 587) : Number(port), tls, auth };
  } catch {
    return null;
  }
}
