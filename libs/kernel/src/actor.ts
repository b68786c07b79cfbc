/** Who acts: made once, where a credential is checked, and passed on as one value. */
export interface Actor {
  tenantId: string;
  kind: 'key' | 'agent';
  /** Names the principal for good, whatever becomes of its credentials; of a key, its first public prefix. */
  id: string;
  /** As people are told: `key:hld_…`, or `agent:my-agent (hld_…)`. */
  label: string;
}

/** @param prefix the first public prefix of the key */
export function keyActor(tenantId: string, prefix: string): Actor {
  return { tenantId, kind: 'key', id: prefix, label: `key:${prefix}` };
}
