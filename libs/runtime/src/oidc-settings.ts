import { readFileSync } from 'node:fs';
import { z } from 'zod';
import { ConfigError, LOOPBACK_NAMES, missingSetting } from './config-error.js';

export const optionalText = z
  .string()
  .optional()
  .transform((text) => (text === undefined || text === '' ? null : text));

const ISSUER_EXAMPLE = 'HALDIR_OIDC_ISSUER=https://login.example.com/realms/staff';
const CLIENT_ID_EXAMPLE = 'HALDIR_OIDC_CLIENT_ID=haldir';
const ROLE_CLAIM_EXAMPLE = 'HALDIR_OIDC_ROLE_CLAIM=groups';
const ROLES_EXAMPLE = 'HALDIR_OIDC_ROLES=haldir-owners=owner,haldir-approvers=approver';
const SECRET_FILE_EXAMPLE = 'HALDIR_OIDC_CLIENT_SECRET_FILE=/run/secrets/oidc-client-secret';
const ROLES_EXPECTED = 'value=role pairs separated by commas, the strongest first, each value once';

/** The issuer by which people sign in (OpenID Connect); each is checked as it stands, and by `readOidcSettings` together. */
export const OIDC_SETTINGS = {
  HALDIR_OIDC_ISSUER: optionalText.refine((text) => text === null || isIssuer(text)).meta({
    expects: 'the https address of an issuer, without query and without /.well-known/',
    example: ISSUER_EXAMPLE,
  }),
  HALDIR_OIDC_CLIENT_ID: optionalText.meta({ expects: 'the id of the client', example: CLIENT_ID_EXAMPLE }),
  HALDIR_OIDC_CLIENT_SECRET: optionalText.meta({
    expects: 'the secret of the client',
    example: 'HALDIR_OIDC_CLIENT_SECRET=$(cat secret)',
  }),
  HALDIR_OIDC_CLIENT_SECRET_FILE: optionalText.meta({ expects: 'a readable file', example: SECRET_FILE_EXAMPLE }),
  HALDIR_OIDC_NAME: optionalText
    .refine((text) => text === null || /^[^\p{C}\p{Zl}\p{Zp}]{1,64}$/u.test(text))
    .meta({ expects: 'a name of at most 64 characters', example: 'HALDIR_OIDC_NAME=Example' }),
  HALDIR_OIDC_SCOPES: z
    .string()
    .refine((text) => /^[\x21\x23-\x5b\x5d-\x7e]+( [\x21\x23-\x5b\x5d-\x7e]+)*$/.test(text))
    .refine((text) => text.split(' ').includes('openid'))
    .default('openid email profile')
    .meta({ expects: 'scopes separated by spaces, openid among them', example: 'HALDIR_OIDC_SCOPES=openid email' }),
  HALDIR_OIDC_TENANT: optionalText
    .refine((text) => text === null || /^tnt_[0-9a-z]{26}$/.test(text))
    .meta({ expects: 'the id of a tenant', example: 'HALDIR_OIDC_TENANT=tnt_01m8a0m4n3b5ycxwwx2pxamrk6' }),
  HALDIR_OIDC_ROLE_CLAIM: optionalText.meta({ expects: 'the name of a claim', example: ROLE_CLAIM_EXAMPLE }),
  HALDIR_OIDC_ROLES: z
    .string()
    .default('')
    .transform((text) => text.split(',').map((part) => part.trim()).filter(Boolean).map(toPair))
    .refine((pairs) => pairs.every(([value, role]) => value !== '' && role !== ''))
    .refine((pairs) => new Set(pairs.map(([value]) => value)).size === pairs.length)
    .meta({ expects: ROLES_EXPECTED, example: ROLES_EXAMPLE }),
  HALDIR_OIDC_UNKNOWN_ROLE: optionalText.meta({ expects: 'a role', example: 'HALDIR_OIDC_UNKNOWN_ROLE=auditor' }),
}; // prettier-ignore

/** By which issuer people sign in, to which tenant, and who is let in. */
export interface OidcSettings {
  /** https, or http on this machine. */
  issuer: URL;
  clientId: string;
  /** Null for a public client. */
  clientSecret: string | null;
  /** As people know it. */
  name: string;
  /** Of OAuth, separated by spaces. */
  scope: string;
  /** Null for the operator's. */
  tenantId: string | null;
  /** Null where no claim gives roles. */
  roleClaim: string | null;
  /** What values of the claim stand for; of several that somebody has, the first. What roles there are is known where people are. */
  roles: readonly (readonly [value: string, role: string])[];
  /** Of whoever nobody knows and no claim gives one; null: they are not let in. */
  unknownRole: string | null;
}

type Settings = { [Name in keyof typeof OIDC_SETTINGS]: z.output<(typeof OIDC_SETTINGS)[Name]> };

/** Null where no issuer is set. @throws ConfigError for settings that do not go together */
export function readOidcSettings(settings: Settings): OidcSettings | null {
  const { HALDIR_OIDC_ISSUER: address, HALDIR_OIDC_CLIENT_ID: clientId } = settings;
  const { HALDIR_OIDC_ROLE_CLAIM: roleClaim, HALDIR_OIDC_ROLES: roles } = settings;
  if (address === null) {
    const alone = clientId !== null || roleClaim !== null || roles.length > 0;
    if (alone) throw missingSetting('HALDIR_OIDC_ISSUER', 'the https address of an issuer', ISSUER_EXAMPLE);
    return null;
  }
  if (clientId === null) throw missingSetting('HALDIR_OIDC_CLIENT_ID', 'the id of the client', CLIENT_ID_EXAMPLE);
  if (roleClaim === null && roles.length > 0)
    throw missingSetting(
      'HALDIR_OIDC_ROLE_CLAIM',
      'the name of the claim that HALDIR_OIDC_ROLES is about',
      ROLE_CLAIM_EXAMPLE,
    );
  if (roleClaim !== null && roles.length === 0)
    throw missingSetting('HALDIR_OIDC_ROLES', ROLES_EXPECTED, ROLES_EXAMPLE);
  const issuer = new URL(address);
  return {
    issuer,
    clientId,
    clientSecret: readSecret(settings),
    name: settings.HALDIR_OIDC_NAME ?? issuer.host,
    scope: settings.HALDIR_OIDC_SCOPES,
    tenantId: settings.HALDIR_OIDC_TENANT,
    roleClaim,
    roles,
    unknownRole: settings.HALDIR_OIDC_UNKNOWN_ROLE,
  };
}

function readSecret(settings: Settings): string | null {
  const { HALDIR_OIDC_CLIENT_SECRET: inline, HALDIR_OIDC_CLIENT_SECRET_FILE: file } = settings;
  if (inline !== null || file === null) return inline;
  let secret = '';
  try {
    secret = readFileSync(file, 'utf8').trim();
  } catch {
    // As one without a secret.
  }
  if (secret === '')
    throw new ConfigError(
      `HALDIR_OIDC_CLIENT_SECRET_FILE should be a readable file with a secret, for example ${SECRET_FILE_EXAMPLE}`,
    );
  return secret;
}

/** Values may have a = in them; roles have none. */
function toPair(part: string): readonly [string, string] {
  const at = part.lastIndexOf('=');
  return [part.slice(0, Math.max(at, 0)).trim(), part.slice(at + 1).trim()];
}

function isIssuer(text: string): boolean {
  if (!URL.canParse(text) || /[?#\s\\]/.test(text)) return false;
  const { protocol, hostname, username, password, pathname } = new URL(text);
  const isSafe = protocol === 'https:' || (protocol === 'http:' && LOOPBACK_NAMES.includes(hostname));
  return isSafe && username === '' && password === '' && !pathname.includes('/.well-known/');
}
