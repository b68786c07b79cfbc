import { type KeyObject } from 'node:crypto';
import { Injectable } from '@nestjs/common';
import { associatedData, KeyRing, open, seal } from '@haldir/crypto';

/** The key is derived, so it has one version. */
const KEY_VERSION = 1;

/** A request as it is carried to a connector. */
export interface CarriedRequest {
  method: 'POST' | 'GET' | 'DELETE';
  /** Names in lower case. */
  headers: Record<string, string>;
  body: string | null;
}

/** A part of an answer as it is carried back; the first has status and headers. */
export interface CarriedPart {
  status?: number | undefined;
  headers?: Record<string, string> | undefined;
  data: string;
  last: boolean;
  /** How the way to the server behind the connector broke off. */
  failed?: 'reset' | 'timeout' | undefined;
}

/** Seals what waits in the database for moments, each bound to the tenant and its place. */
@Injectable()
export class ExchangeSeal {
  private derived: KeyObject | undefined;

  constructor(private readonly keys: KeyRing) {}

  sealRequest(tenantId: string, id: string, request: CarriedRequest): Buffer {
    return this.seal(request, ['haldir.connector-request.v1', tenantId, id]);
  }

  /** @throws SealBroken */
  openRequest(tenantId: string, id: string, sealed: Buffer): CarriedRequest {
    return this.open(sealed, ['haldir.connector-request.v1', tenantId, id]) as CarriedRequest;
  }

  sealPart(tenantId: string, id: string, seq: number, part: CarriedPart): Buffer {
    return this.seal(part, ['haldir.connector-part.v1', tenantId, id, seq]);
  }

  /** @throws SealBroken */
  openPart(tenantId: string, id: string, seq: number, sealed: Buffer): CarriedPart {
    return this.open(sealed, ['haldir.connector-part.v1', tenantId, id, seq]) as CarriedPart;
  }

  private seal(value: CarriedRequest | CarriedPart, place: (string | number)[]): Buffer {
    return seal(this.key(), KEY_VERSION, Buffer.from(JSON.stringify(value)), associatedData(place));
  }

  private open(sealed: Buffer, place: (string | number)[]): unknown {
    return JSON.parse(open(this.key(), sealed, associatedData(place)).toString());
  }

  private key(): KeyObject {
    return (this.derived ??= this.keys.derive('haldir.connector-exchanges.v1'));
  }
}
