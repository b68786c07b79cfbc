import { InvalidInput, readsAsOwn, toUnixSeconds } from '@haldir/kernel';
import { nextCursor } from '@haldir/http';
import { z } from 'zod';
import { referencesIn, withReferences } from '../masking/secret-references.js';
import { type Examined, type ShownStats } from '../registry/upstream-registry.js';
import { circuitStatus } from '../upstreams/circuit.js';
import { isHeaderValue, type NewCredentials } from '../upstreams/upstream-credentials.js';
import { type UpstreamStats } from '../upstreams/upstream-stats.js';
import { shownSettings, settings, toShownSettings } from './upstream-settings.dto.js';
import { nameContains, wholePageQuery } from './fields.js';

const NAME_EXPECTED = 'expected 1 to 64 letters, digits, - or _';
const OWN_NAME = 'expected a name that does not read as one of Haldir’s own';
const URL_EXPECTED = 'expected an absolute http or https URL of at most 2048 characters';

const MAX_HEADERS = 32;
const HEADERS_EXPECTED = `expected an object of at most ${MAX_HEADERS} headers`;
const HEADER_NAME_EXPECTED = 'expected names of headers that no transport sets by itself, each once';
const HEADER_EXPECTED = 'expected values of 1 to 4096 visible ASCII characters, with {{vault:name}} for a secret';
/** What HTTP, MCP and Haldir itself set. */
const SET_BY_OTHERS =
  /^(?:host|connection|keep-alive|te|trailer|transfer-encoding|upgrade|expect|accept|accept-encoding|last-event-id|user-agent)$|^(?:content|mcp|proxy|sec)-/;

function areHeaderNames(names: readonly string[]): boolean {
  const lower = names.map((name) => name.toLowerCase());
  return (
    new Set(lower).size === lower.length &&
    lower.every((name) => /^[!#$%&'*+\-.^_`|~0-9a-z]{1,128}$/.test(name) && !SET_BY_OTHERS.test(name))
  );
}

/** What is wrong with one is said of all: an error names no member that its sender chose. */
const HeaderValue = z.any().meta({ type: 'string', minLength: 1, maxLength: 4096 }) as z.ZodType<string>;

const Headers = z
  .record(z.string(), HeaderValue, HEADERS_EXPECTED)
  .refine((headers) => Object.keys(headers).length <= MAX_HEADERS, HEADERS_EXPECTED)
  .refine((headers) => areHeaderNames(Object.keys(headers)), HEADER_NAME_EXPECTED)
  .refine((headers) => Object.values<unknown>(headers).every(isHeaderText), HEADER_EXPECTED);

function isHeaderText(value: unknown): boolean {
  if (typeof value !== 'string' || value.length > 4096) return false;
  return isHeaderValue(withoutReferences(value)) && 'names' in referencesIn({ text: value });
}

const AUTH_EXPECTED = 'expected an object with type client_credentials, token_url, client_id and client_secret';
const CLIENT_ID_EXPECTED = 'expected 1 to 512 visible ASCII characters';
const SECRET_EXPECTED = 'expected 1 to 4096 characters, {{vault:name}} for a secret';
const SCOPE_EXPECTED = 'expected at most 1024 visible ASCII characters with spaces between';

const Auth = z.object(
  {
    type: z.literal('client_credentials', 'expected client_credentials'),
    token_url: z.string(URL_EXPECTED).max(2048, URL_EXPECTED).meta({ format: 'uri' }).describe('Token endpoint'),
    client_id: z.string(CLIENT_ID_EXPECTED).regex(/^[\x21-\x7e]{1,512}$/, CLIENT_ID_EXPECTED),
    client_secret: z
      .string(SECRET_EXPECTED)
      .min(1, SECRET_EXPECTED)
      .max(4096, SECRET_EXPECTED)
      .refine((text) => 'names' in referencesIn({ text }), SECRET_EXPECTED)
      .describe('{{vault:name}} stands for a secret that is bound to the whole upstream. Never shown again'),
    scope: z
      .string(SCOPE_EXPECTED)
      .regex(/^[\x21-\x7e]+(?: [\x21-\x7e]+)*$/, SCOPE_EXPECTED)
      .max(1024, SCOPE_EXPECTED)
      .nullish(),
    resource: z.string(URL_EXPECTED).max(2048, URL_EXPECTED).nullish().describe('RFC 8707 resource indicator'),
  },
  AUTH_EXPECTED,
);

/** Names of secrets need not be ASCII. */
function withoutReferences(text: string): string {
  return String(withReferences({ text }, () => 'x')['text']);
}

export const RegisterUpstream = z.object({
  name: z
    .string(NAME_EXPECTED)
    .regex(/^[A-Za-z0-9_-]{1,64}$/, NAME_EXPECTED)
    .refine((name) => !readsAsOwn(name), OWN_NAME)
    .describe('Unique name for this upstream; none that reads as Haldir’s own'),
  url: z.string(URL_EXPECTED).max(2048, URL_EXPECTED).meta({ format: 'uri' }).describe('MCP server URL'),
  ...settings,
  headers: Headers.nullish().describe(
    'Sent with every request to the upstream; {{vault:name}} stands for a secret that is bound to the whole upstream. Never shown again',
  ),
  auth: Auth.nullish().describe(
    'How Haldir is authorized there by OAuth 2.0; its access token is sent with every request',
  ),
});
export type RegisterUpstream = z.infer<typeof RegisterUpstream>;

/** @throws InvalidInput when two things would set the Authorization header */
export function toCredentials({ headers, auth }: RegisterUpstream): NewCredentials {
  if (auth && Object.keys(headers ?? {}).some((name) => name.toLowerCase() === 'authorization'))
    throw new InvalidInput('auth: expected no Authorization header beside it');
  return {
    headers: headers ?? {},
    auth: auth
      ? {
          tokenUrl: auth.token_url,
          clientId: auth.client_id,
          clientSecret: auth.client_secret,
          scope: auth.scope ?? null,
          resource: auth.resource ?? null,
        }
      : null,
  };
}

/** Of one list of an upstream. */
const refusedOf = (what: string, which = '') =>
  z
    .array(
      z.object({
        name: z.string().describe('Its name, or address, with hidden characters made visible'),
        reason: z.string().describe('Why it is neither shown nor called'),
      }),
    )
    .optional()
    .describe(
      `${what} whose definition was not taken${which}: it misleads, clients could read nothing of a list that has it, or Haldir cannot call it. Absent when there are none`,
    );

/** What a discovery found. */
const discovered = {
  name: z.string(),
  url: z.string(),
  healthy: z.boolean(),
  tools_discovered: z.int(),
  tool_names: z.array(z.string()),
  error: z.string().optional().describe('Present if upstream had errors during discovery'),
  upstream_status: z.int().optional().describe('HTTP status from upstream (debug)'),
  refused_tools: refusedOf('Tools'),
  refused_resources: refusedOf('Resources'),
  refused_resource_templates: refusedOf('Resource templates'),
  refused_prompts: refusedOf('Prompts'),
  drifted_tools: z
    .array(z.string())
    .optional()
    .describe('Tools that are held back because they are not as they were accepted; absent when there are none'),
};

export const UpstreamRegistered = z.object({ registered: z.literal(true), ...discovered });
export type UpstreamRegistered = z.infer<typeof UpstreamRegistered>;

export const UpstreamRefreshed = z.object({ refreshed: z.literal(true), ...discovered });
export type UpstreamRefreshed = z.infer<typeof UpstreamRefreshed>;

export function toDiscovered(examined: Examined): Omit<UpstreamRegistered, 'registered'> {
  const { address, names, refused, refusedResources, drifted, trouble } = examined;
  const { resources, templates, prompts } = refusedResources;
  return {
    name: address.name,
    url: address.url,
    healthy: trouble === null,
    tools_discovered: names.length,
    tool_names: names,
    ...(trouble === null ? {} : { error: trouble.error }),
    ...(trouble === null || trouble.status === null ? {} : { upstream_status: trouble.status }),
    ...(refused.length === 0 ? {} : { refused_tools: [...refused] }),
    ...(resources.length === 0 ? {} : { refused_resources: [...resources] }),
    ...(templates.length === 0 ? {} : { refused_resource_templates: [...templates] }),
    ...(prompts.length === 0 ? {} : { refused_prompts: [...prompts] }),
    ...(drifted.length === 0 ? {} : { drifted_tools: drifted }),
  };
}

export const ListUpstreams = z.object({
  healthy: z
    .enum(['true', 'false'], 'expected true or false')
    .optional()
    .describe('Only upstreams that answered when they were asked last, or only those that did not'),
  name_contains: nameContains,
  ...wholePageQuery,
});
export type ListUpstreams = z.infer<typeof ListUpstreams>;

const ShownUpstream = z
  .object({
    url: z.string(),
    headers: z
      .record(z.string(), z.string())
      .describe('Headers that are sent to it: the references in them, *** for anything else'),
    auth: z
      .object({ type: z.literal('client_credentials'), token_origin: z.string(), client_id: z.string() })
      .nullable()
      .describe('How Haldir is authorized there'),
    ...shownSettings,
    connector: z
      .object({
        instances: z.int().describe('Connectors that stand for it now'),
        last_seen: z.number().nullable().describe('Unix timestamp; null when none was there lately'),
      })
      .optional()
      .describe('Of an upstream that `haldir connect` stands for'),
    sessions: z
      .enum(['none', 'own', 'shared'])
      .nullable()
      .describe(
        'Sessions with it: none; own, one for each session of an agent; shared, one for all of the tenant, whose state every agent sees (of an upstream over an event stream, as in 2024-11-05, one in each process). Null while not known',
      ),
    healthy: z.boolean().describe('Whether it answered when it was last asked'),
    tools: z.int(),
    drifted: z.int().describe('Tools of these that are held back because the upstream has changed them'),
    refused: z.int().describe('Tools, resources, templates and prompts that it offers besides and that are not taken'),
    refused_tools: refusedOf('Tools', ' (the first 100)'),
    refused_resources: refusedOf('Resources', ' (the first 25)'),
    refused_resource_templates: refusedOf('Resource templates', ' (the first 25)'),
    refused_prompts: refusedOf('Prompts', ' (the first 25)'),
    total_calls: z.int().describe('Calls that were let through to it'),
    total_errors: z.int().describe('Calls of these that ended without an answer of the tool'),
    tool_errors: z.int().describe('Calls of these that the tool itself answered with isError'),
    avg_latency_ms: z.number().describe('Time to its answer; 0 while there were no calls'),
    last_check: z.number().nullable().describe('Unix timestamp'),
    error: z.string().optional().describe('Why it is not healthy'),
    circuit: z
      .enum(['closed', 'open', 'half_open'])
      .describe(
        'closed: calls go to it; open: it is left alone after calls that failed or were slow; half_open: one call finds out',
      ),
    circuit_reason: z.enum(['errors', 'slowness']).optional().describe('Why it is not closed'),
    circuit_until: z.number().optional().describe('Until when it is left alone; Unix timestamp'),
  })
  .meta({ id: 'Upstream' });
type ShownUpstream = z.infer<typeof ShownUpstream>;

export const UpstreamList = z.object({
  upstreams: z.record(z.string(), ShownUpstream).describe('By name'),
  total_tools: z.int().describe('Tools of all upstreams'),
  policies: z.int().describe('Number of active policies'),
  count: z.int(),
  next_cursor: nextCursor,
});
export type UpstreamList = z.infer<typeof UpstreamList>;

export function toUpstream(stats: ShownStats, now: Date): ShownUpstream {
  const { url, headers, auth, connector, healthy, tools, drifted, refused, calls, errors, toolErrors } = stats;
  const { latencyMs, lastCheckAt, error } = stats;
  return {
    url,
    headers,
    auth,
    ...toShownSettings(stats),
    sessions: connector?.isShared ? 'shared' : stats.sessions,
    ...(connector === undefined ? {} : { connector: toConnector(connector) }),
    healthy,
    tools,
    drifted,
    ...toRefused(refused),
    total_calls: calls,
    total_errors: errors,
    tool_errors: toolErrors,
    avg_latency_ms: calls === 0 ? 0 : Math.round((latencyMs / calls) * 100) / 100,
    last_check: lastCheckAt === null ? null : toUnixSeconds(lastCheckAt),
    ...(error === null ? {} : { error }),
    circuit: circuitStatus(stats, now),
    ...(stats.circuitReason === null ? {} : { circuit_reason: stats.circuitReason }),
    ...(stats.circuitUntil === null ? {} : { circuit_until: toUnixSeconds(stats.circuitUntil) }),
  };
}

function toConnector(state: ShownStats['connector']): ShownUpstream['connector'] {
  return { instances: state?.instances ?? 0, last_seen: state ? toUnixSeconds(state.lastSeen) : null };
}

function toRefused({ tools, resources, templates, prompts }: UpstreamStats['refused']) {
  const all = [tools, resources, templates, prompts];
  return {
    refused: all.reduce((sum, some) => sum + (some?.count ?? 0), 0),
    ...(tools && { refused_tools: [...tools.first] }),
    ...(resources && { refused_resources: [...resources.first] }),
    ...(templates && { refused_resource_templates: [...templates.first] }),
    ...(prompts && { refused_prompts: [...prompts.first] }),
  };
}

export const UpstreamRemoved = z.object({ deleted: z.literal(true), name: z.string() });
export type UpstreamRemoved = z.infer<typeof UpstreamRemoved>;
