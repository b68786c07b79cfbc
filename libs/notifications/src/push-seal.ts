import { Injectable } from '@nestjs/common';
import { KeyRing, type SealedColumn } from '@haldir/crypto';
import { type Tx } from '@haldir/database';
import { type PushSubscription } from './push-subscription.entity.js';

/** Where and how a browser is reached, as its `PushSubscription` says: in base64url. Never shown or logged: whoever has it may ask there. */
export interface PushAddress {
  endpoint: string;
  keys: { p256dh: string; auth: string };
}

type Key = Pick<PushSubscription, 'tenantId' | 'id'>;

/** Keeps addresses of browsers under the tenant's key. */
@Injectable()
export class PushSeal {
  constructor(private readonly keyRing: KeyRing) {}

  /** Before the transaction locks anything else. */
  seal(tx: Tx, { tenantId, id }: Key, address: PushAddress): Promise<Buffer> {
    return this.keyRing.sealFor(tx, tenantId, Buffer.from(JSON.stringify(address)), placeOf(tenantId, id));
  }

  /** @throws SealBroken; TenantKeyGone where it was sealed anew since it was read */
  async open({ tenantId, id, sealed }: PushSubscription): Promise<PushAddress> {
    const text = await this.keyRing.openFor(tenantId, sealed, placeOf(tenantId, id));
    return JSON.parse(text.toString('utf8')) as PushAddress;
  }
}

function placeOf(tenantId: string, id: string): string[] {
  return ['haldir.push-subscription.v1', tenantId, id];
}

/** As a rotation of keys finds them. */
export const SEALED_PUSH_SUBSCRIPTIONS: SealedColumn = {
  table: 'push_subscription',
  column: 'sealed',
  key: [{ name: 'id', type: 'text' }],
  placeOf: (tenantId, { id = '' }) => placeOf(tenantId, id),
};
