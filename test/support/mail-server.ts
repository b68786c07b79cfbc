import { readFileSync } from 'node:fs';
import { type AddressInfo } from 'node:net';
import { join } from 'node:path';
import { buffer } from 'node:stream/consumers';
import { SMTPServer } from 'smtp-server';

/** A self-signed certificate of `localhost` and 127.0.0.1: whoever is to trust it names it in NODE_EXTRA_CA_CERTS. */
export const LOCALHOST_CERTIFICATE = join(import.meta.dirname, 'localhost-cert.pem');

export interface ArrivedMail {
  from: string;
  /** Of the envelope. */
  to: string[];
  raw: string;
  /** Names in lower case; values unfolded and decoded, each once. */
  headers: ReadonlyMap<string, string>;
  /** How many headers there are of each name. */
  names: string[];
  text: string;
  html: string;
  user: string | null;
  secure: boolean;
}

/** Nothing: it is taken; a code: the server refuses it; null: no answer ever comes. */
export type MailAnswer = number | null | undefined;

/** A real SMTP server on loopback. */
export interface MailServer {
  port: number;
  /** All that arrived, taken or not. */
  readonly mails: ArrivedMail[];
  to(address: string): ArrivedMail[];
  /** How to answer when the whole mail has arrived. */
  answer(how: (mail: ArrivedMail) => MailAnswer | Promise<MailAnswer>): void;
  /** How to answer when a recipient is named. */
  answerRecipient(how: (address: string) => number | undefined): void;
  stop(): Promise<void>;
}

/**
 * @param options tls: which it speaks; a login that is demanded
 */
export async function startMailServer(
  options: { tls?: 'implicit' | 'starttls'; login?: { user: string; pass: string } } = {},
): Promise<MailServer> {
  const mails: ArrivedMail[] = [];
  let answer: (mail: ArrivedMail) => MailAnswer | Promise<MailAnswer> = () => undefined;
  let answerRecipient: (address: string) => number | undefined = () => undefined;
  const server = new SMTPServer({
    secure: options.tls === 'implicit',
    key: readFileSync(join(import.meta.dirname, 'localhost-key.pem')),
    cert: readFileSync(LOCALHOST_CERTIFICATE),
    ...(options.tls === undefined ? { disabledCommands: ['STARTTLS', ...(options.login ? [] : ['AUTH'])] } : {}),
    authOptional: options.login === undefined,
    allowInsecureAuth: true,
    closeTimeout: 500,
    onAuth: ({ username, password }, _session, callback) => {
      if (username === options.login?.user && password === options.login?.pass) callback(null, { user: username });
      // As servers do that say too much.
      else callback(Object.assign(new Error(`${username} ${String(password)} is no login`), { responseCode: 535 }));
    },
    onRcptTo: ({ address }, _session, callback) => {
      const code = answerRecipient(address);
      callback(code === undefined ? null : Object.assign(new Error(`no ${address} here`), { responseCode: code }));
    },
    onData: (stream, session, callback) => {
      void buffer(stream).then(async (bytes) => {
        const { mailFrom, rcptTo } = session.envelope;
        const mail = parsedMail(bytes.toString('utf8'), {
          from: mailFrom ? mailFrom.address : '',
          to: rcptTo.map(({ address }) => address),
          user: typeof session.user === 'string' ? session.user : null,
          secure: session.secure,
        });
        mails.push(mail);
        const code = await answer(mail);
        if (code === null) return;
        callback(code === undefined ? null : Object.assign(new Error('said the server'), { responseCode: code }));
      });
    },
  });
  // A worker that was killed hangs up half way.
  server.on('error', () => undefined);
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', () => resolve()));
  return {
    port: (server.server.address() as AddressInfo).port,
    mails,
    to: (address) => mails.filter(({ to }) => to.includes(address)),
    answer: (how) => {
      answer = how;
    },
    answerRecipient: (how) => {
      answerRecipient = how;
    },
    stop: () => new Promise((resolve) => server.close(() => resolve())),
  };
}

function parsedMail(raw: string, envelope: Pick<ArrivedMail, 'from' | 'to' | 'user' | 'secure'>): ArrivedMail {
  const { headers, names, body } = partIn(raw);
  const boundary = /boundary="?([^";]+)"?/.exec(headers.get('content-type') ?? '')?.[1];
  const parts =
    boundary === undefined
      ? []
      : body
          .split(`--${boundary}`)
          .slice(1, -1)
          .map((part) => partIn(part.trimStart()));
  const bodyOf = (type: string): string => {
    const part = parts.find((one) => one.headers.get('content-type')?.startsWith(type));
    return part ? decoded(part.body, part.headers.get('content-transfer-encoding') ?? '') : '';
  };
  return { ...envelope, raw, headers, names, text: bodyOf('text/plain'), html: bodyOf('text/html') };
}

function partIn(text: string): { headers: Map<string, string>; names: string[]; body: string } {
  const end = text.indexOf('\r\n\r\n');
  const lines = text
    .slice(0, end)
    .replace(/\r\n[ \t]+/g, ' ')
    .split('\r\n');
  const fields = lines.map((line): [string, string] => {
    const colon = line.indexOf(':');
    return [line.slice(0, colon).toLowerCase(), words(line.slice(colon + 1).trim())];
  });
  return { headers: new Map(fields), names: fields.map(([name]) => name), body: text.slice(end + 4) };
}

/** RFC 2047. */
function words(value: string): string {
  return value
    .replace(/\?=\s+=\?/g, '?==?')
    .replace(/=\?utf-8\?([bq])\?([^?]*)\?=/gi, (_, kind: string, text: string) =>
      kind.toLowerCase() === 'b'
        ? Buffer.from(text, 'base64').toString('latin1')
        : text
            .replaceAll('_', ' ')
            .replace(/=([0-9A-F]{2})/gi, (_all, hex: string) => String.fromCharCode(parseInt(hex, 16))),
    )
    .replace(/[\x80-\xff]+/g, (bytes) => Buffer.from(bytes, 'latin1').toString('utf8'));
}

function decoded(body: string, encoding: string): string {
  if (encoding === 'base64') return Buffer.from(body, 'base64').toString('utf8');
  if (encoding !== 'quoted-printable') return body.replaceAll('\r\n', '\n');
  const bytes = body
    .replace(/=\r\n/g, '')
    .replace(/=([0-9A-F]{2})/gi, (_, hex: string) => String.fromCharCode(parseInt(hex, 16)));
  return Buffer.from(bytes, 'latin1').toString('utf8').replaceAll('\r\n', '\n');
}
