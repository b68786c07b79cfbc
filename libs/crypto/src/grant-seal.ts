import { createHmac, hash, type KeyObject, timingSafeEqual } from 'node:crypto';
import { Injectable } from '@nestjs/common';
import { Log } from '@haldir/runtime';
import { KeyRing } from './key-ring.js';
import { LRUCache } from 'lru-cache';

/** What a row grants, in a fixed order; `at` in milliseconds, money as text. */
export type Grant = readonly (string | number | boolean | null | Grant)[];

/** Rows whose MAC was found right: what was under it, by the MAC. A few MiB at most. */
const KNOWN_MAX = 10_000;
const KNOWN_LENGTH_MAX = 1024;

/**
 * The MAC over everything that a row grants, by which one that was edited in the database is known (HMAC-SHA-256 over the
 * JSON of the list, under a key of the installation).
 */
@Injectable()
export class GrantSeal {
  private derived: KeyObject | undefined;
  private readonly known = new LRUCache<string, string>({ max: KNOWN_MAX });

  constructor(
    private readonly keys: KeyRing,
    private readonly log: Log,
  ) {}

  /** @param label names the kind of row and the version of its list */
  macOf(label: string, grant: Grant): Buffer {
    return this.compute(JSON.stringify([label, ...grant]));
  }

  /** Whether the row grants what it was made to grant. The operator's log names one that does not, and no credential. */
  isIntact(label: string, grant: Grant, row: { tenantId: string; id: string; mac: Buffer | null }): boolean {
    const { tenantId, id, mac } = row;
    const text = JSON.stringify([label, ...grant]);
    const name = mac?.toString('latin1');
    if (name !== undefined && this.known.get(name) === text) return true;
    const expected = this.compute(text);
    if (name !== undefined && mac?.length === expected.length && timingSafeEqual(mac, expected)) {
      if (text.length <= KNOWN_LENGTH_MAX) this.known.set(name, text);
      return true;
    }
    // A session's id is a credential, so its digest stands for it.
    this.log.error({ event: 'grant.altered', what: label, tenant_id: tenantId, id_sha256: hash('sha256', id, 'hex') });
    return false;
  }

  private compute(text: string): Buffer {
    this.derived ??= this.keys.derive('haldir.grant-mac.v1');
    return createHmac('sha256', this.derived).update(text).digest();
  }
}
