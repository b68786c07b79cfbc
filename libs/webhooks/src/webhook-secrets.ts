import { createHmac, randomBytes } from 'node:crypto';
import { Injectable } from '@nestjs/common';
import { KeyRing, type SealedColumn } from '@haldir/crypto';
import { type Tx } from '@haldir/database';

const PREFIX = 'whsec_';
const SECRET_BYTES = 32;

/** `whsec_` and the base64 of 32 random bytes, as Standard Webhooks has it. */
export function newSecret(): string {
  return PREFIX + randomBytes(SECRET_BYTES).toString('base64');
}

/** The Standard Webhooks signature of one secret: `v1,` and the base64 HMAC-SHA256 of `{id}.{timestamp}.{body}` under its bytes. */
export function standardSignature(secret: string, id: string, timestamp: number, body: string): string {
  const key = Buffer.from(secret.slice(PREFIX.length), 'base64');
  return `v1,${createHmac('sha256', key).update(`${id}.${timestamp}.${body}`).digest('base64')}`;
}

/** The signature of receivers that predate Standard Webhooks: under the secret's text as shown, over `{timestamp}.{body}`. */
export function legacySignature(secret: string, timestamp: number, body: string): string {
  return `sha256=${createHmac('sha256', secret).update(`${timestamp}.${body}`).digest('hex')}`;
}

/** Where a secret is kept: the one that signs, or the one before, which signs along for a while. */
type SecretColumn = 'secret' | 'secret_prev';

/** Seals secrets for the database, each bound to its endpoint and its column. */
@Injectable()
export class WebhookSecrets {
  constructor(private readonly keys: KeyRing) {}

  /** The first thing a transaction does; see `KeyRing.sealingKey`. */
  seal(tx: Tx, tenantId: string, webhookId: number, secret: string, column: SecretColumn = 'secret'): Promise<Buffer> {
    return this.keys.sealFor(tx, tenantId, Buffer.from(secret), placeOf(column, tenantId, webhookId));
  }

  /** @throws SealBroken when a value was altered or belongs elsewhere; TenantKeyGone when it was sealed anew meanwhile */
  async open(
    tenantId: string,
    webhookId: number,
    sealed: Buffer,
    options: { column?: SecretColumn; tx?: Tx } = {},
  ): Promise<string> {
    const place = placeOf(options.column ?? 'secret', tenantId, webhookId);
    return (await this.keys.openFor(tenantId, sealed, place, options.tx)).toString();
  }
}

function placeOf(column: SecretColumn, tenantId: string, webhookId: number | string): (string | number)[] {
  const label = column === 'secret' ? 'haldir.webhook.secret.v1' : 'haldir.webhook.secret-prev.v1';
  return [label, tenantId, webhookId];
}

/** The secrets of endpoints, as a rotation of keys finds them. */
export const SEALED_WEBHOOK_SECRETS: readonly SealedColumn[] = (['secret', 'secret_prev'] as const).map((column) => ({
  table: 'webhook',
  column,
  key: [{ name: 'id', type: 'bigint' }],
  placeOf: (tenantId, { id = '' }) => placeOf(column, tenantId, id),
}));
