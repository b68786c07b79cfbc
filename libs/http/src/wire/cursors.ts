import { createHash, type KeyObject } from 'node:crypto';
import { Injectable } from '@nestjs/common';
import { canonicalJson, InvalidInput } from '@haldir/kernel';
import { associatedData, KeyRing, keyVersionOf, open, seal } from '@haldir/crypto';

/** The key is derived, so it has one version. */
const KEY_VERSION = 1;

/** A list as its cursors know it: a cursor of another list, tenant or filter does not open. */
export interface ListIdentity {
  tenantId: string;
  list: string;
  filters: Readonly<Record<string, string | number | boolean | null | undefined>>;
}

/** What a request asks of a list. */
export interface PageQuery {
  /** Items on the page. */
  limit: number;
  cursor?: string | undefined;
}

export interface Page<Item> {
  items: Item[];
  /** Null on the last page. */
  nextCursor: string | null;
}

/** Positions in lists, sealed: opaque to clients, of no use to other tenants or other filters. */
@Injectable()
export class Cursors {
  private sealingKey: KeyObject | undefined;

  constructor(private readonly keys: KeyRing) {}

  /** @param position of the last item of the page, enough to go on behind it */
  encode(identity: ListIdentity, position: readonly (string | number)[]): string {
    return seal(this.key(), KEY_VERSION, Buffer.from(JSON.stringify(position)), placeOf(identity)).toString(
      'base64url',
    );
  }

  /** @throws InvalidInput when the cursor was not given out for this list, tenant and filters */
  decode(identity: ListIdentity, cursor: string): (string | number)[] {
    try {
      const sealed = Buffer.from(cursor, 'base64url');
      // One text for each position: nothing may be added to a cursor, or changed in what its seal does not cover.
      if (sealed.toString('base64url') !== cursor || keyVersionOf(sealed) !== KEY_VERSION) throw new Error('altered');
      const position = JSON.parse(open(this.key(), sealed, placeOf(identity)).toString()) as unknown;
      if (Array.isArray(position)) return position as (string | number)[];
    } catch {
      // Whatever is wrong with it, the answer is the same.
    }
    throw new InvalidInput('cursor: expected the next_cursor of the same list with the same filters');
  }

  /**
   * A page of a list whose items go by one text, such as their id.
   *
   * @param find up to `count` items behind the one of that text; null is before the first
   */
  listByText<Item>(
    identity: ListIdentity,
    query: PageQuery,
    find: (count: number, after: string | null) => Promise<Item[]>,
    keyOf: (item: Item) => string,
  ): Promise<Page<Item>> {
    return this.list(
      identity,
      query,
      (count, after) => find(count, after && String(after[0])),
      (item) => [keyOf(item)],
    );
  }

  /** The same of a list whose items go by one number. */
  listByNumber<Item>(
    identity: ListIdentity,
    query: PageQuery,
    find: (count: number, after: number | null) => Promise<Item[]>,
    keyOf: (item: Item) => number,
  ): Promise<Page<Item>> {
    return this.list(
      identity,
      query,
      (count, after) => find(count, after && Number(after[0])),
      (item) => [keyOf(item)],
    );
  }

  /**
   * A page of a list, and the cursor of the next.
   *
   * @param find up to `count` items behind a position; null is before the first
   * @param positionOf an item, enough to go on behind it
   * @throws InvalidInput when the cursor was not given out for this list, tenant and filters
   */
  async list<Item>(
    identity: ListIdentity,
    { limit, cursor }: PageQuery,
    find: (count: number, after: (string | number)[] | null) => Promise<Item[]>,
    positionOf: (item: Item) => (string | number)[],
  ): Promise<Page<Item>> {
    const after = cursor === undefined ? null : this.decode(identity, cursor);
    return this.page(identity, await find(limit + 1, after), limit, positionOf);
  }

  /**
   * The page and its `next_cursor`, from one item more than the page holds.
   *
   * @param items up to `limit + 1` of them, in the list's order
   */
  page<Item>(
    identity: ListIdentity,
    items: Item[],
    limit: number,
    positionOf: (item: Item) => (string | number)[],
  ): Page<Item> {
    const page = items.slice(0, limit);
    const last = page.at(-1);
    const more = items.length > limit && last !== undefined;
    return { items: page, nextCursor: more ? this.encode(identity, positionOf(last)) : null };
  }

  private key(): KeyObject {
    return (this.sealingKey ??= this.keys.derive('haldir.cursor.v1'));
  }
}

function placeOf({ tenantId, list, filters }: ListIdentity): Buffer {
  const digest = createHash('sha256').update(canonicalJson(filters)).digest('hex');
  return associatedData(['haldir.cursor.v1', tenantId, list, digest]);
}
