import { readsAsOwn } from '@haldir/kernel';
import { z } from 'zod';

const CONNECTOR_UPSTREAM_EXPECTED = 'expected a name of an upstream: 1 to 64 letters, digits, - or _';
const CONNECTOR_SECRETS_EXPECTED = 'expected a list of at most 32 names of secrets, each once';

/** Of a connector key. */
export const ConnectorUse = z
  .object({
    upstream: z
      .string(CONNECTOR_UPSTREAM_EXPECTED)
      .regex(/^[A-Za-z0-9_-]{1,64}$/, CONNECTOR_UPSTREAM_EXPECTED)
      .refine((name) => !readsAsOwn(name), 'expected a name that does not read as one of Haldir’s own')
      .describe('The one upstream that the connector stands for'),
    secrets: z
      .array(
        z.string(CONNECTOR_SECRETS_EXPECTED).min(1, CONNECTOR_SECRETS_EXPECTED).max(128),
        CONNECTOR_SECRETS_EXPECTED,
      )
      .max(32, CONNECTOR_SECRETS_EXPECTED)
      .refine((names) => new Set(names).size === names.length, CONNECTOR_SECRETS_EXPECTED)
      .default([])
      .describe('Names of the secrets that whoever holds the key may read'),
  })
  .meta({ id: 'ConnectorUse' });

export const GrantedConnector = z
  .object({ upstream: z.string(), secrets: z.array(z.string()) })
  .meta({ id: 'GrantedConnector' });
