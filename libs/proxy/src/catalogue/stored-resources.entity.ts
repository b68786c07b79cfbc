import { Column, Entity, PrimaryColumn } from 'typeorm';
import { type ResourceLists } from '../mcp-client/index.js';

/** What an upstream has besides tools. */
@Entity('proxy_offering')
export class StoredResources {
  @PrimaryColumn({ name: 'tenant_id', type: 'text' })
  tenantId: string;

  @PrimaryColumn({ type: 'text' })
  upstream: string;

  /** Of all its lists together. */
  @Column({ type: 'bytea' })
  digest: Buffer;

  @Column({ name: 'offers', type: 'json' })
  lists: ResourceLists;
}
