import { type SessionsOf } from '../mcp-client/index.js';
import { type Circuit } from './circuit.js';
import { type RefusedByKind, type RefusedDefinitions } from './upstream.entity.js';
import { type ShownAuth } from './upstream-credentials.js';
import { type UpstreamSettings } from './upstream-settings.js';

/** An upstream as lists show it. */
export interface UpstreamStats extends UpstreamSettings, Circuit {
  name: string;
  url: string;
  /** By name, what may be shown of them. */
  headers: Record<string, string>;
  auth: ShownAuth | null;
  sessions: SessionsOf | null;
  healthy: boolean;
  error: string | null;
  lastCheckAt: Date | null;
  tools: number;
  /** Those of them that are held back. */
  drifted: number;
  calls: number;
  errors: number;
  /** Answers of its tools that say `isError`. */
  toolErrors: number;
  /** Of all calls together. */
  latencyMs: number;
  /** What it offers that is not taken, of its tools and of each of its other lists that have such. */
  refused: { tools: RefusedDefinitions | null } & RefusedByKind;
}

export interface UpstreamFilter {
  healthy?: boolean | undefined;
  /** Small and capital letters of ASCII alike. */
  nameContains?: string | undefined;
}
