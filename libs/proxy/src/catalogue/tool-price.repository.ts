import { Injectable } from '@nestjs/common';
import { type Tx } from '@haldir/database';
import { ToolPrice } from './tool-price.entity.js';

@Injectable()
export class ToolPriceRepository {
  in(tx: Tx) {
    return {
      /** Takes the place of the price there was. */
      put: async (price: ToolPrice): Promise<void> => {
        await tx.manager.upsert(ToolPrice, price, ['tenantId', 'upstream', 'tool']);
      },
      /** False when the tool has none. */
      remove: async (tenantId: string, upstream: string, tool: string): Promise<boolean> =>
        (await tx.manager.delete(ToolPrice, { tenantId, upstream, tool })).affected === 1,
    };
  }
}
