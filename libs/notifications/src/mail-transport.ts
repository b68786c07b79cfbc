import { Injectable } from '@nestjs/common';
import { HaldirConfig, type MailSettings } from '@haldir/runtime';
import { createTransport } from 'nodemailer';
import { type MailFailure, MailNotTaken } from './mail.errors.js';
import { type MailText } from './mail-text.js';

/** From connecting to the server's word that it has the mail. */
export const MAIL_DEADLINE_MS = 20_000;
const CONNECT_MS = 5_000;

export interface OutgoingMail extends MailText {
  /** Of a person: one address. */
  to: string;
  /** Without the host: one for each person and event, whoever sends it how often. */
  id: string;
  at: Date;
}

const FAILURES: Readonly<Record<string, MailFailure>> = {
  EDNS: 'connect',
  ECONNECTION: 'connect',
  ESOCKET: 'connect',
  ECONNREFUSED: 'connect',
  ECONNRESET: 'connect',
  ETLS: 'tls',
  ETIMEDOUT: 'timeout',
  EABORT: 'timeout',
  EAUTH: 'auth',
  ENOAUTH: 'auth',
};

/** As Node names what is wrong with a certificate or a handshake. */
const CERTIFICATE_CODES = /^(?:ERR_TLS_|ERR_SSL_|CERT_|SELF_SIGNED_|DEPTH_ZERO_|UNABLE_TO_)/;

/**
 * Hands e-mails to the SMTP server of the settings, each over a connection of its own. The operator says where that is, on a private
 * network, too: no tenant has a say in it, so it is none of the addresses that egress is asked about.
 */
@Injectable()
export class MailTransport {
  private readonly mail: { settings: MailSettings; transporter: ReturnType<typeof transporterTo> } | null;

  constructor({ mail }: HaldirConfig) {
    this.mail = mail && { settings: mail, transporter: transporterTo(mail) };
  }

  get isThere(): boolean {
    return this.mail !== null;
  }

  /** Resolves when the server has it. @throws MailNotTaken */
  async send({ to, id, at, subject, text, html }: OutgoingMail): Promise<void> {
    if (!this.mail) throw new Error('no server is set');
    const { settings, transporter } = this.mail;
    const host = settings.from.slice(settings.from.lastIndexOf('@') + 1);
    try {
      await transporter.sendMail({
        from: { name: 'Haldir', address: settings.from },
        to: { name: '', address: to },
        subject,
        text,
        html,
        messageId: `<${id}@${host}>`,
        date: at,
        headers: { 'Auto-Submitted': 'auto-generated' },
        disableFileAccess: true,
        disableUrlAccess: true,
        signal: AbortSignal.timeout(MAIL_DEADLINE_MS),
      });
    } catch (error) {
      // Without its cause: servers quote what they were told, credentials and addresses.
      throw new MailNotTaken(failureOf(error));
    }
  }
}

function transporterTo({ server }: MailSettings) {
  const { host, port, tls, auth } = server;
  return createTransport({
    host,
    port,
    secure: tls === 'implicit',
    requireTLS: tls === 'starttls',
    ignoreTLS: tls === 'none',
    ...(auth ? { auth } : {}),
    connectionTimeout: CONNECT_MS,
    dnsTimeout: CONNECT_MS,
    greetingTimeout: MAIL_DEADLINE_MS,
    socketTimeout: MAIL_DEADLINE_MS,
    disableFileAccess: true,
    disableUrlAccess: true,
  });
}

function failureOf(error: unknown): MailFailure {
  const { code, responseCode } = error as { code?: unknown; responseCode?: unknown };
  if ((code === 'EENVELOPE' || code === 'EMESSAGE') && typeof responseCode === 'number')
    return responseCode >= 500 ? 'refused' : 'deferred';
  return CERTIFICATE_CODES.test(String(code)) ? 'tls' : (FAILURES[String(code)] ?? 'protocol');
}
