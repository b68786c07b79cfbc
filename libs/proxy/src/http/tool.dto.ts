import { toDollars, toUnixSeconds } from '@haldir/kernel';
import { nextCursor } from '@haldir/http';
import { z } from 'zod';
import { changesBetween } from '../catalogue/tool-definition.js';
import { type ListedTool } from '../catalogue/tool.repository.js';
import { nameContains, wholePageQuery } from './fields.js';

export const ListProxyTools = z.object({
  drifted: z
    .enum(['true', 'false'], 'expected true or false')
    .optional()
    .describe('Only tools that are held back, or only those that are not'),
  upstream: z
    .string('expected one name of an upstream')
    .max(64, 'expected one name of an upstream')
    .optional()
    .meta({ example: 'everything' })
    .describe('Filter by upstream'),
  name_contains: nameContains,
  ...wholePageQuery,
});
export type ListProxyTools = z.infer<typeof ListProxyTools>;

const Drift = z.object({
  fingerprint: z.string().describe('Of what the upstream says of the tool now, which can be accepted'),
  seen_at: z.number().describe('Unix timestamp'),
  diff: z
    .array(
      z.object({
        path: z.string().describe('JSON pointer into the definition'),
        was: z.unknown().optional(),
        is: z.unknown().optional(),
      }),
    )
    .describe('What differs from what was accepted, with hidden characters made visible'),
});

const ProxyTool = z
  .object({
    name: z.string().describe("The tool's own name; answers to it while no other upstream has a tool of that name"),
    description: z.string(),
    upstream: z.string(),
    qualified_name: z.string().describe('upstream.tool: always answers to it'),
    model_name: z
      .string()
      .describe(
        'upstream__tool in what the APIs of models take (1 to 64 letters, digits, - and _): always answers to it',
      ),
    warning: z.string().optional().describe('Why model_name ends in a hash'),
    input_schema: z.record(z.string(), z.unknown()).describe('JSON Schema of the arguments'),
    annotations: z.record(z.string(), z.unknown()).optional().describe('Hints of the upstream, as it gave them'),
    fingerprint: z
      .string()
      .describe(
        'SHA-256 (hex) of the accepted definition: of its RFC 8785 JSON with the sets of its schemas (required, enum, type) in one order',
      ),
    price_usd: z.number().optional().describe('Of each call'),
    drift: Drift.optional().describe('Present while the tool is held back because its upstream has changed it'),
  })
  .meta({ id: 'ProxyTool' });
type ProxyTool = z.infer<typeof ProxyTool>;

const NAME_WARNINGS = {
  too_long:
    'upstream__tool has more than the 64 characters that the APIs of models take, so model_name is cut and ends in a hash',
  taken: 'another tool would have the same model_name, so both end in a hash',
};

export function toProxyTool({ upstream, name, definition, fingerprint, price, drift, ...rest }: ListedTool): ProxyTool {
  return {
    name,
    description: definition.description ?? '',
    upstream,
    qualified_name: `${upstream}.${name}`,
    model_name: rest.modelName,
    ...(rest.nameConflict === null ? {} : { warning: NAME_WARNINGS[rest.nameConflict] }),
    input_schema: definition.inputSchema,
    ...(definition.annotations === undefined ? {} : { annotations: definition.annotations }),
    fingerprint: fingerprint.toString('hex'),
    ...(price === null ? {} : { price_usd: toDollars(price) }),
    ...(drift === null
      ? {}
      : {
          drift: {
            fingerprint: drift.fingerprint.toString('hex'),
            seen_at: toUnixSeconds(drift.seenAt),
            diff: changesBetween(definition, drift.definition),
          },
        }),
  };
}

export const ProxyToolList = z.object({ count: z.int(), tools: z.array(ProxyTool), next_cursor: nextCursor });
export type ProxyToolList = z.infer<typeof ProxyToolList>;

const FINGERPRINT_EXPECTED = 'expected the 64 hex digits of a fingerprint';

export const AcceptTool = z.object({
  fingerprint: z
    .string(FINGERPRINT_EXPECTED)
    .regex(/^[0-9a-f]{64}$/, FINGERPRINT_EXPECTED)
    .describe('Of the definition that was looked at, as listProxyTools shows it in drift'),
});
export type AcceptTool = z.infer<typeof AcceptTool>;

export const ToolAccepted = z.object({
  accepted: z.literal(true),
  upstream: z.string(),
  tool: z.string(),
  fingerprint: z.string(),
});
export type ToolAccepted = z.infer<typeof ToolAccepted>;
