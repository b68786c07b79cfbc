import { readFileSync } from 'node:fs';
import { resolve } from 'node:path';
import { type Cidr, contains, MAX_CALL_SECONDS, parseCidr, parseIp } from '@haldir/kernel';
import { z } from 'zod';
import { ConfigError } from './config-error.js';
import { isDatabaseUrl, withPassword } from './database-url.js';
import { MAIL_SETTINGS, type MailSettings, readMailSettings } from './mail-settings.js';
import { OIDC_SETTINGS, type OidcSettings, optionalText, readOidcSettings } from './oidc-settings.js';

export type Tier = 'free' | 'pro' | 'enterprise';
export const TIERS: readonly Tier[] = ['free', 'pro', 'enterprise'];

/** A root key by its number; the first configured is active, the others open what they once sealed. */
export interface RootKey {
  id: number;
  key: Buffer;
}

const wholeNumber = (min: number, max: number, fallback: number) =>
  z.coerce.number().int().min(min).max(max).default(fallback);
const flag = z
  .enum(['true', 'false', ''])
  .default('false')
  .transform((text) => text === 'true');

const Settings = z.object({
  PORT: wholeNumber(0, 65_535, 3000).meta({ expects: 'a port from 0 to 65535', example: 'PORT=3000' }),
  HOST: z.string().min(1).default('127.0.0.1').meta({ expects: 'an address to listen on', example: 'HOST=0.0.0.0' }),
  WORKER_PORT: wholeNumber(0, 65_535, 3001).meta({ expects: 'a port from 0 to 65535', example: 'WORKER_PORT=3001' }),
  HALDIR_HOME: z.string().min(1).default('.haldir').meta({ expects: 'a directory', example: 'HALDIR_HOME=.haldir' }),
  HALDIR_EMBEDDED: flag.meta({ expects: 'true or false', example: 'HALDIR_EMBEDDED=false' }),
  DATABASE_URL: z
    .string()
    .refine(isDatabaseUrl)
    .meta({ expects: DATABASE_URL_EXPECTED('DATABASE_PASSWORD'), example: 'DATABASE_URL=postgresql://haldir:password@127.0.0.1:5432/haldir' }),
  DATABASE_PASSWORD: optionalText.meta({ expects: 'the password of DATABASE_URL', example: 'DATABASE_PASSWORD=$(cat password)' }),
  WORKER_DATABASE_URL: optionalText
    .refine((text) => text === null || isDatabaseUrl(text))
    .meta({ expects: DATABASE_URL_EXPECTED('WORKER_DATABASE_PASSWORD'), example: 'WORKER_DATABASE_URL=postgresql://haldir_worker:password@127.0.0.1:5432/haldir' }),
  WORKER_DATABASE_PASSWORD: optionalText.meta({ expects: 'the password of WORKER_DATABASE_URL', example: 'WORKER_DATABASE_PASSWORD=$(cat password)' }),
  DATABASE_POOL_SIZE: wholeNumber(2, 200, 12).meta({ expects: '2 to 200 connections', example: 'DATABASE_POOL_SIZE=12' }),
  REDIS_URL: optionalText
    .refine((text) => text === null || /^rediss?:\/\//.test(text))
    .meta({ expects: 'a Redis URL', example: 'REDIS_URL=redis://127.0.0.1:6379' }),
  HALDIR_ROOT_KEYS: optionalText.meta({ expects: ROOT_KEYS_EXPECTED(), example: 'HALDIR_ROOT_KEYS=1:<43 characters>' }),
  HALDIR_ROOT_KEYS_FILE: optionalText.meta({ expects: 'a readable file', example: 'HALDIR_ROOT_KEYS_FILE=/run/secrets/root-keys' }),
  HALDIR_KEY_PEPPER: optionalText
    .refine((text) => text === null || text.length >= 32)
    .meta({ expects: 'at least 32 characters', example: 'HALDIR_KEY_PEPPER=$(openssl rand -base64 32)' }),
  HALDIR_BOOTSTRAP_TOKEN: optionalText
    .refine((text) => text === null || text.length >= 16)
    .meta({ expects: 'at least 16 characters', example: 'HALDIR_BOOTSTRAP_TOKEN=$(openssl rand -base64 32)' }),
  HALDIR_REQUIRE_BOOTSTRAP_TOKEN: flag.meta({ expects: 'true or false', example: 'HALDIR_REQUIRE_BOOTSTRAP_TOKEN=true' }),
  HALDIR_EGRESS_ALLOW: z
    .string()
    .default('')
    .transform((text) => text.split(',').map((part) => part.trim()).filter(Boolean))
    .meta({ expects: 'CIDRs separated by commas', example: 'HALDIR_EGRESS_ALLOW=10.1.0.0/16' }),
  HALDIR_LOG_ORIGIN: z
    .string()
    .regex(/^[a-z0-9.-]{1,100}(:\d{1,5})?(\/[A-Za-z0-9._~-]{1,50}){0,5}$/)
    .default('haldir.local')
    .meta({ expects: 'a host name, perhaps with a path, that names this installation', example: 'HALDIR_LOG_ORIGIN=haldir.example.com' }),
  HALDIR_TIER_LIMITS: z
    .string()
    .regex(/^(free|pro|enterprise)=\d{1,9}(,(free|pro|enterprise)=\d{1,9})*$/)
    .default('free=100,pro=5000,enterprise=50000')
    .meta({ expects: 'tier=requests an hour, separated by commas', example: 'HALDIR_TIER_LIMITS=free=100,pro=5000,enterprise=50000' }),
  HALDIR_FX_RATES: z
    .string()
    .regex(/^$|^[A-Z]{3}=\d+(\.\d+)?(,[A-Z]{3}=\d+(\.\d+)?)*$/)
    .default('')
    .meta({ expects: 'CURRENCY=USD for one unit, separated by commas', example: 'HALDIR_FX_RATES=EUR=1.08,JPY=0.0067' }),
  LOG_LEVEL: z
    .enum(['fatal', 'error', 'warn', 'info', 'debug', 'trace', 'silent'])
    .default('info')
    .meta({ expects: 'fatal, error, warn, info, debug, trace or silent', example: 'LOG_LEVEL=info' }),
  WEBHOOK_TIMEOUT_SECONDS: wholeNumber(1, 60, 15).meta({ expects: '1 to 60 seconds', example: 'WEBHOOK_TIMEOUT_SECONDS=15' }),
  WEBHOOK_CONCURRENCY: wholeNumber(1, 500, 50).meta({ expects: '1 to 500', example: 'WEBHOOK_CONCURRENCY=50' }),
  WEBHOOK_RETENTION_DAYS: wholeNumber(1, 3650, 30).meta({ expects: '1 to 3650 days', example: 'WEBHOOK_RETENTION_DAYS=30' }),
  HALDIR_PUBLIC_URL: optionalText
    .refine((text) => text === null || isOrigin(text))
    .meta({ expects: 'an http or https address without a path', example: 'HALDIR_PUBLIC_URL=https://haldir.example.com' }),
  HALDIR_BASE_PATH: z.string().regex(/^(?:\/[\w-]{1,50}){0,5}$/).default('').meta({ expects: 'a path without a slash at its end', example: 'HALDIR_BASE_PATH=/haldir' }),
  HALDIR_RP_ID: optionalText
    .meta({ expects: 'the host of HALDIR_PUBLIC_URL, or a domain that it is in', example: 'HALDIR_RP_ID=example.com' }),
  ...OIDC_SETTINGS,
  ...MAIL_SETTINGS,
  MCP_ALLOWED_HOSTS: z
    .string()
    .default('')
    .transform((text) => text.split(',').map((part) => part.trim().toLowerCase()).filter(Boolean))
    .refine((names) => names.every((name) => /^([a-z0-9.-]{1,253}|\[[0-9a-f:.]{2,45}\])$/.test(name)))
    .meta({ expects: 'host names without ports, separated by commas', example: 'MCP_ALLOWED_HOSTS=haldir.example.com' }),
  MCP_HOLD_SECONDS: wholeNumber(0, 300, 25).meta({ expects: '0 to 300 seconds', example: 'MCP_HOLD_SECONDS=25' }),
  UPSTREAM_TIMEOUT_SECONDS: wholeNumber(1, 600, 30).meta({ expects: '1 to 600 seconds', example: 'UPSTREAM_TIMEOUT_SECONDS=30' }),
  UPSTREAM_MAX_CALL_SECONDS: wholeNumber(1, MAX_CALL_SECONDS, MAX_CALL_SECONDS).meta({ expects: '1 to 600 seconds', example: 'UPSTREAM_MAX_CALL_SECONDS=600' }),
  UPSTREAM_MAX_ANSWER_BYTES: wholeNumber(1_024, 16_777_216, 4_194_304).meta({ expects: '1024 to 16777216 bytes', example: 'UPSTREAM_MAX_ANSWER_BYTES=4194304' }),
  UPSTREAM_CONCURRENCY: wholeNumber(1, 256, 32).meta({ expects: '1 to 256 calls', example: 'UPSTREAM_CONCURRENCY=32' }),
  SECRET_RESTORE_SECONDS: wholeNumber(0, 31_536_000, 604_800).meta({ expects: '0 to 31536000 seconds', example: 'SECRET_RESTORE_SECONDS=604800' }),
  SHUTDOWN_TIMEOUT_SECONDS: wholeNumber(1, 300, 20).meta({ expects: '1 to 300 seconds', example: 'SHUTDOWN_TIMEOUT_SECONDS=20' }),
}); // prettier-ignore

function isOrigin(text: string): boolean {
  if (!URL.canParse(text)) return false;
  const { origin, protocol } = new URL(text);
  return /^https?:$/.test(protocol) && (text === origin || text === `${origin}/`);
}

function DATABASE_URL_EXPECTED(password: string): string {
  return `a PostgreSQL URL (a password with characters such as / # ? % goes into ${password})`;
}

/** Browsers know passkeys by a host name, and this machine by one. Without a public address people are on this machine. */
function relyingPartyOf(publicUrl: string | null, named: string | null): HaldirConfig['relyingParty'] {
  const host = publicUrl === null ? 'localhost' : new URL(publicUrl).hostname;
  const own = host === '127.0.0.1' || host === '[::1]' ? 'localhost' : host;
  if (named !== null && named !== own && !own.endsWith(`.${named}`)) {
    throw new ConfigError(
      `HALDIR_RP_ID should be the host of HALDIR_PUBLIC_URL or a domain that it is in, for example HALDIR_RP_ID=${own}`,
    );
  }
  const isAddress = own.startsWith('[') || /^[\d.]+$/.test(own);
  return { id: isAddress ? null : (named ?? own), host: own, isNamed: named !== null };
}

function ROOT_KEYS_EXPECTED(): string {
  return 'id:key pairs separated by commas, the active one first; an id is a number from 1, a key 32 bytes in base64url';
}

/**
 * Every setting of a process, checked and typed once. `main.ts` makes it from `process.env`; nothing else reads that.
 *
 * @throws ConfigError for the first setting that is missing or wrong
 */
export class HaldirConfig {
  readonly http: { port: number; host: string };
  readonly worker: { port: number; host: string };
  readonly home: string;
  /** Started by `npm start` with its own database: development defaults, no production promises. */
  readonly embedded: boolean;
  readonly database: { url: string; poolSize: number };
  /** Null: queues and shared counters live in Postgres. */
  readonly redisUrl: string | null;
  readonly rootKeys: readonly RootKey[];
  /** Null: a random one, made once and kept sealed in the database. */
  readonly keyPepper: string | null;
  readonly bootstrap: { token: string | null; required: boolean };
  readonly egress: { allow: readonly string[] };
  /** How checkpoints name this installation: a tenant's log is `<origin>/log/<tenant>`, fixed when it is first signed. */
  readonly logOrigin: string;
  /** Authenticated requests per key in any sliding hour; 0 means unlimited. */
  readonly tierLimits: Readonly<Record<Tier, number>>;
  /** US dollars for one unit of a currency, as the operator's exact decimal text. */
  readonly fxRates: ReadonlyMap<string, string>;
  readonly logLevel: string;
  readonly webhooks: { timeoutMs: number; concurrency: number; retentionMs: number };
  readonly upstreams: {
    /** Of a call, unless the upstream has one of its own. */
    timeoutMs: number;
    /** Of any call, however often the upstream says that it is at work. */
    longestMs: number;
    maxAnswerBytes: number;
    concurrency: number;
  };
  /** Under which people and agents reach the API; null: under whatever host their requests name. */
  readonly publicUrl: string | null;
  /** The path below which a proxy serves the API, and which it takes away; empty for none. */
  readonly basePath: string;
  /** The public address with that path, without a slash at its end, for links; null without an address. */
  readonly publicBase: string | null;
  /**
   * The site that passkeys are for (the RP ID): the host of the public address, unless it is named; null where that is an IP address,
   * for which there are none. `host` is that of the public address, which can be named whatever it is.
   */
  readonly relyingParty: { id: string | null; host: string; isNamed: boolean };
  /** By which issuer people sign in; null: by none, or in a process that signs nobody in. */
  readonly oidc: OidcSettings | null;
  /** How people are sent e-mail; null: they are sent none. */
  readonly mail: MailSettings | null;
  /** Names by which `/mcp` may be called, and whose pages may call it, besides those of the loopback. */
  readonly mcp: { allowedHosts: readonly string[]; /** How long a call waits for its approval. */ holdMs: number };
  /** How long a deleted secret can be brought back. */
  readonly secrets: { restoreMs: number };
  readonly shutdownTimeoutMs: number;

  constructor(env: Readonly<Record<string, string | undefined>>, process: 'api' | 'worker' = 'api') {
    const parsed = Settings.safeParse(Object.fromEntries(Object.entries(env).filter(([, text]) => text !== '')));
    if (!parsed.success) {
      const name = String(parsed.error.issues[0]?.path[0]);
      const meta = Settings.shape[name as keyof typeof Settings.shape]?.meta() as { expects: string; example: string };
      const verb = env[name] === undefined || env[name] === '' ? 'is missing; it should be' : 'should be';
      throw new ConfigError(`${name} ${verb} ${meta.expects}, for example ${meta.example}`);
    }
    const settings = parsed.data;
    this.http = { port: settings.PORT, host: settings.HOST };
    this.worker = { port: settings.WORKER_PORT, host: settings.HOST };
    this.home = resolve(settings.HALDIR_HOME);
    this.embedded = settings.HALDIR_EMBEDDED;
    // The worker may see all tenants at once, so it has a role of its own.
    const workerUrl = process === 'worker' ? settings.WORKER_DATABASE_URL : null;
    const url =
      workerUrl === null
        ? withPassword(settings.DATABASE_URL, settings.DATABASE_PASSWORD)
        : withPassword(workerUrl, settings.WORKER_DATABASE_PASSWORD);
    this.database = { url, poolSize: settings.DATABASE_POOL_SIZE };
    this.redisUrl = settings.REDIS_URL;
    this.rootKeys = readRootKeys(settings.HALDIR_ROOT_KEYS, settings.HALDIR_ROOT_KEYS_FILE);
    this.keyPepper = settings.HALDIR_KEY_PEPPER;
    this.bootstrap = { token: settings.HALDIR_BOOTSTRAP_TOKEN, required: settings.HALDIR_REQUIRE_BOOTSTRAP_TOKEN };
    this.egress = { allow: checkedCidrs(settings.HALDIR_EGRESS_ALLOW, this.embedded) };
    this.logOrigin = settings.HALDIR_LOG_ORIGIN;
    this.tierLimits = { free: 100, pro: 5000, enterprise: 50_000, ...tierLimitsIn(settings.HALDIR_TIER_LIMITS) };
    this.fxRates = new Map(
      settings.HALDIR_FX_RATES.split(',')
        .filter(Boolean)
        .map((part): [string, string] => [part.slice(0, 3), part.slice(4)]),
    );
    this.logLevel = settings.LOG_LEVEL;
    this.webhooks = {
      timeoutMs: settings.WEBHOOK_TIMEOUT_SECONDS * 1000,
      concurrency: settings.WEBHOOK_CONCURRENCY,
      retentionMs: settings.WEBHOOK_RETENTION_DAYS * 86_400_000,
    };
    this.upstreams = {
      timeoutMs: Math.min(settings.UPSTREAM_TIMEOUT_SECONDS, settings.UPSTREAM_MAX_CALL_SECONDS) * 1000,
      longestMs: settings.UPSTREAM_MAX_CALL_SECONDS * 1000,
      maxAnswerBytes: settings.UPSTREAM_MAX_ANSWER_BYTES,
      concurrency: settings.UPSTREAM_CONCURRENCY,
    };
    this.publicUrl = settings.HALDIR_PUBLIC_URL;
    this.basePath = settings.HALDIR_BASE_PATH;
    this.publicBase = this.publicUrl === null ? null : new URL(this.publicUrl).origin + this.basePath;
    this.relyingParty = relyingPartyOf(settings.HALDIR_PUBLIC_URL, settings.HALDIR_RP_ID);
    this.oidc = process === 'worker' ? null : readOidcSettings(settings);
    this.mail = readMailSettings(settings);
    this.mcp = { allowedHosts: settings.MCP_ALLOWED_HOSTS, holdMs: settings.MCP_HOLD_SECONDS * 1000 };
    this.secrets = { restoreMs: settings.SECRET_RESTORE_SECONDS * 1000 };
    this.shutdownTimeoutMs = settings.SHUTDOWN_TIMEOUT_SECONDS * 1000;
  }
}

/** `tier=limit`, separated by commas. */
function tierLimitsIn(text: string): Record<string, number> {
  const pairs = text.split(',').map((part) => part.split('='));
  return Object.fromEntries(pairs.map(([tier = '', limit]) => [tier, Number(limit)]));
}

function readRootKeys(inline: string | null, file: string | null): RootKey[] {
  let text = inline;
  if (text === null && file !== null) {
    try {
      text = readFileSync(file, 'utf8').trim();
    } catch {
      throw new ConfigError(
        `HALDIR_ROOT_KEYS_FILE should be a readable file, for example HALDIR_ROOT_KEYS_FILE=/run/secrets/root-keys`,
      );
    }
  }
  const example = 'for example HALDIR_ROOT_KEYS=1:$(openssl rand -base64 32 | tr +/ -_ | tr -d =)';
  if (text === null || text === '') {
    throw new ConfigError(`HALDIR_ROOT_KEYS is missing; it should be ${ROOT_KEYS_EXPECTED()}, ${example}`);
  }
  const keys = text.split(',').map((part) => {
    const [, id, key] = /^\s*([1-9]\d{0,8}):([A-Za-z0-9_-]{43})=?\s*$/.exec(part) ?? [];
    if (id === undefined || key === undefined)
      throw new ConfigError(`HALDIR_ROOT_KEYS should be ${ROOT_KEYS_EXPECTED()}, ${example}`);
    return { id: Number(id), key: Buffer.from(key, 'base64url') };
  });
  if (new Set(keys.map(({ id }) => id)).size !== keys.length) {
    throw new ConfigError(`HALDIR_ROOT_KEYS should name each id once, ${example}`);
  }
  return keys;
}

const LOOPBACK = ['127.0.0.1', '::1', '::ffff:127.0.0.1'].map(parseIp).filter((bytes) => bytes !== null);

/** A range that reaches into 127.0.0.0/8, or holds ::1, also within a wider one. */
function reachesLoopback(range: Cidr): boolean {
  return LOOPBACK.some((address) => contains(range, address)) || (range.bytes.length === 4 && range.bytes[0] === 127);
}

function checkedCidrs(entries: string[], embedded: boolean): string[] {
  for (const entry of entries) {
    const range = entry.includes('/') ? parseCidr(entry) : null;
    if (!range) {
      throw new ConfigError(
        'HALDIR_EGRESS_ALLOW should be CIDRs separated by commas, for example HALDIR_EGRESS_ALLOW=10.1.0.0/16',
      );
    }
    if (!embedded && reachesLoopback(range)) {
      throw new ConfigError(
        'HALDIR_EGRESS_ALLOW should not hold loopback in production; for development set HALDIR_EMBEDDED=true, for example HALDIR_EGRESS_ALLOW=10.1.0.0/16',
      );
    }
  }
  return entries;
}
