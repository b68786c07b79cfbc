import { type MicroUsd } from './money.js';

/** Who acts: made once, where a credential is checked, and passed on as one value. */
export interface Actor {
  tenantId: string;
  kind: 'key' | 'agent' | 'connector' | 'person' | 'haldir';
  /** Names the principal for good, whatever becomes of its credentials; of a key, its first public prefix; of a person, `prs_…`. */
  id: string;
  /** As people are told: `key:hld_…`, `agent:my-agent (hld_…)`, `connector:fs (hld_…)` or `person:alice@example.com`. */
  label: string;
  /** Of an agent, what bounds everything it does; null for everybody else. */
  agent: AgentGrant | null;
  /** Of a connector, what it stands for; nothing for everybody else. */
  connector?: ConnectorGrant;
  /** Where the request came from, as the log keeps it; nothing where there is no request. */
  origin?: Origin;
}

export const SPEND_PERIODS = ['day', 'month', 'total'] as const;
export type SpendPeriod = (typeof SPEND_PERIODS)[number];

/** How a session is shown the tools of upstreams: all of them in a list, or three tools that search, describe and call them. */
export const CATALOGUE_KINDS = ['full', 'search'] as const;
export type CatalogueKind = (typeof CATALOGUE_KINDS)[number];

/** The ceiling of an agent key. */
export interface AgentGrant {
  agentId: string;
  /** Of its sessions, as sessions hold scopes. */
  scopes: readonly string[];
  /** Of a session at most. */
  ttlSeconds: number;
  /** Of all its sessions together. */
  spendLimit: MicroUsd;
  /** In UTC; `total` begins with the key and never ends. */
  spendPeriod: SpendPeriod;
  /** Those it may use, by name; null for every upstream. */
  upstreams: readonly string[] | null;
  /** Of a session that is opened without saying so. */
  catalogue: CatalogueKind;
}

/** What a connector key is good for. */
export interface ConnectorGrant {
  /** The one upstream that it stands for, by name. */
  upstream: string;
  /** Names of the secrets that it may read. */
  secrets: readonly string[];
}

/** What is known of a request beside who makes it. */
export interface Origin {
  /** The client's network address. */
  address: string | null;
  /** The trace that the client says the request belongs to (W3C Trace Context). */
  traceId: string | null;
}

/** @param prefix the first public prefix of the key */
export function keyActor(tenantId: string, prefix: string): Actor {
  return { tenantId, kind: 'key', id: prefix, label: `key:${prefix}`, agent: null };
}

/** @param prefix the first public prefix of the agent's key */
export function agentActor(tenantId: string, prefix: string, agent: AgentGrant): Actor {
  return { tenantId, kind: 'agent', id: prefix, label: `agent:${agent.agentId} (${prefix})`, agent };
}

/** @param prefix the first public prefix of the connector's key */
export function connectorActor(tenantId: string, prefix: string, connector: ConnectorGrant): Actor {
  const label = `connector:${connector.upstream} (${prefix})`;
  return { tenantId, kind: 'connector', id: prefix, label, agent: null, connector };
}

/** @param id `prs_…` */
export function personActor(tenantId: string, id: string, email: string): Actor {
  return { tenantId, kind: 'person', id, label: `person:${email}`, agent: null };
}

/** Whether whoever acts may use an upstream of that name, as far as the ceiling goes. */
export function mayUseUpstream({ agent }: Actor, name: string): boolean {
  return agent?.upstreams?.includes(name) ?? true;
}

/** Haldir, or a part of it, acting on its own: at a time, or because of what it found. */
export function haldirActor(tenantId: string, part = 'haldir'): Actor {
  return { tenantId, kind: 'haldir', id: part, label: part, agent: null };
}
