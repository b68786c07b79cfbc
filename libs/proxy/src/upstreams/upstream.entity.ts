import { Column, Entity, PrimaryColumn } from 'typeorm';
import { type RefusedDefinition, type ResourceKind, type SessionsOf } from '../mcp-client/index.js';
import { type CircuitReason } from './circuit.js';
import { type ShownAuth } from './upstream-credentials.js';

/** Definitions of one list of an upstream that are not taken: the first of them, and how many there are. */
export interface RefusedDefinitions {
  count: number;
  first: readonly RefusedDefinition[];
}

/** By list, those that have such. */
export type RefusedByKind = Partial<Record<ResourceKind, RefusedDefinitions>>;

/** What model APIs take in a name, or what people and the log write. */
export const SEPARATORS = ['__', '.'] as const;
export type Separator = (typeof SEPARATORS)[number];

/** A registration. */
@Entity('proxy_upstream')
export class Upstream {
  @PrimaryColumn({ name: 'tenant_id', type: 'text' })
  tenantId: string;

  @PrimaryColumn({ type: 'text' })
  name: string;

  @Column({ type: 'text' })
  url: string;

  /** Whether agents are shown its tools with its name before theirs. */
  @Column({ type: 'boolean' })
  prefixed: boolean;

  /** Between its name and a tool's, as agents are shown them. */
  @Column({ type: 'text' })
  separator: Separator;

  /** New with every registration. */
  @Column({ type: 'text' })
  revision: string;

  /** When it was registered so. */
  @Column({ name: 'registered_at', type: 'timestamptz' })
  registeredAt: Date;

  /** Sealed with the address; null when it has none. */
  @Column({ type: 'bytea', nullable: true })
  headers: Buffer | null;

  /** By name, what may be shown of them. */
  @Column({ name: 'shown_headers', type: 'json' })
  shownHeaders: Record<string, string>;

  @Column({ name: 'shown_auth', type: 'json', nullable: true })
  shownAuth: ShownAuth | null;

  @Column({ type: 'boolean' })
  healthy: boolean;

  /** Null while it is healthy. */
  @Column({ type: 'text', nullable: true })
  error: string | null;

  /** Of the tools that there are, and of which of them can be called; null while they are not known. */
  @Column({ name: 'catalogue_digest', type: 'bytea', nullable: true })
  catalogueDigest: Buffer | null;

  /** Of the list that the catalogue was made from last. */
  @Column({ name: 'listed_digest', type: 'bytea', nullable: true })
  listedDigest: Buffer | null;

  /** Tools of that list that are not taken; null for none. */
  @Column({ name: 'refused_tools', type: 'json', nullable: true })
  refusedTools: RefusedDefinitions | null;

  /** A call asks for the tools again when the last answer is older than this. */
  @Column({ name: 'tools_max_age', type: 'integer' })
  toolsMaxAgeSeconds: number;

  /** Of a call; null for that of the settings, like the next two. */
  @Column({ name: 'timeout_seconds', type: 'integer', nullable: true })
  timeoutSeconds: number | null;

  @Column({ name: 'max_answer_bytes', type: 'integer', nullable: true })
  maxAnswerBytes: number | null;

  /** Calls under way at once, in each process. */
  @Column({ type: 'integer', nullable: true })
  concurrency: number | null;

  /** Until when calls are refused; null while its circuit is closed. */
  @Column({ name: 'circuit_until', type: 'timestamptz', nullable: true })
  circuitUntil: Date | null;

  @Column({ name: 'circuit_reason', type: 'text', nullable: true })
  circuitReason: CircuitReason | null;

  /** How often it was opened in a row. */
  @Column({ name: 'circuit_openings', type: 'integer' })
  circuitOpenings: number;

  /** When the question was sent that its tools were confirmed by last. */
  @Column({ name: 'confirmed_at', type: 'timestamptz', nullable: true })
  confirmedAt: Date | null;

  /** Whose sessions it begins; null while nobody has found out. */
  @Column({ type: 'text', nullable: true })
  sessions: SessionsOf | null;

  /** Checks that failed in a row. */
  @Column({ type: 'integer' })
  failures: number;

  @Column({ name: 'last_check_at', type: 'timestamptz', nullable: true })
  lastCheckAt: Date | null;

  /** Which worker hears what it says of its own accord. */
  @Column({ type: 'text', nullable: true })
  listener: string | null;

  /** When another worker may take that over. */
  @Column({ name: 'listen_at', type: 'timestamptz' })
  listenAt: Date;
}

/** A name that an upstream of the tenant has, or had: what was meant by it is not somebody else's later. */
@Entity('upstream_name')
export class UpstreamName {
  @PrimaryColumn({ name: 'tenant_id', type: 'text' })
  tenantId: string;

  @PrimaryColumn({ type: 'text' })
  name: string;
}
