import { queryTime } from '@haldir/http';
import { z } from 'zod';

const iso = z.string().describe('ISO 8601');

export const Overview = z
  .object({
    tenant_id: z.string(),
    tier: z.string(),
    generated_at: iso,
    usage: z.object({
      actions_this_month: z.int().describe('Authenticated requests'),
      spend_usd_this_month: z.number().describe('Cost that entries report'),
    }),
    sessions: z.object({ active_count: z.int() }),
    vault: z.object({ secrets_count: z.int() }),
    audit: z.object({
      total_entries: z.int(),
      flagged_7d: z.int().describe('At most 1,000 are counted'),
      last_entry_at: iso.nullable(),
      chain_verified: z.boolean(),
    }),
    webhooks: z.object({
      registered_count: z.int().describe('At most 1,000 are counted'),
      deliveries_24h: z.int(),
      delivery_success_rate_24h: z.number().describe('From 0 to 1; 1 without deliveries'),
      failed_24h: z.int(),
    }),
    approvals: z.object({ pending_count: z.int() }),
    health: z.object({
      status: z.string(),
      components: z.array(z.object({ name: z.string(), state: z.string(), message: z.string() })),
    }),
  })
  .meta({ id: 'Overview' });
export type Overview = z.infer<typeof Overview>;

export const EvidenceQuery = z.object({
  format: z
    .enum(['json', 'markdown', 'md'], 'expected json, markdown or md')
    .default('json')
    .describe('json, or markdown for people'),
  since: queryTime
    .optional()
    .describe('Start of the period: Unix seconds or ISO 8601. Default: 90 days before its end'),
  until: queryTime.optional().describe('End of the period: Unix seconds or ISO 8601. Default: now'),
});
export type EvidenceQuery = z.infer<typeof EvidenceQuery>;

export const Evidence = z
  .object({
    format_version: z.int(),
    generated_at: iso,
    period_start: iso,
    period_end: iso,
    tenant_id: z.string(),
    identity: z.object({ tenant_id: z.string(), tier: z.string(), period_days: z.number() }),
    access_control: z.object({
      key_count: z.int(),
      has_scoped_keys: z.boolean(),
      keys: z.array(
        z.object({
          prefix: z.string(),
          name: z.string(),
          tier: z.string(),
          scopes: z.array(z.string()),
          created_at: iso,
          last_used: iso.nullable(),
          revoked: z.boolean(),
        }),
      ),
    }),
    encryption: z.object({
      cipher: z.string(),
      key_size_bits: z.int(),
      key_configured: z.boolean(),
      ciphertext_portable: z.boolean(),
    }),
    audit_trail: z.object({
      total_entries: z.int(),
      flagged_in_period: z.int().describe('At most 1,000 are counted'),
      last_recorded: iso.nullable(),
      chain_verified: z.boolean(),
      tree_size: z.int(),
      root_hash: z.string(),
    }),
    spend_governance: z.object({ payment_authorizations_count: z.int(), payment_authorizations_usd: z.number() }),
    approvals: z.object({ requests_total: z.int(), pending: z.int() }),
    webhooks: z.object({
      registered_endpoints: z.int(),
      deliveries_in_period: z.int(),
      successful_deliveries: z.int(),
      delivery_success_rate: z.number(),
      signed_payloads: z.boolean(),
      signature_algorithm: z.string(),
    }),
    signatures: z.object({
      algorithm: z.string(),
      digest: z.string().describe('Of the RFC 8785 JSON of all members but generated_at and signatures, hex'),
    }),
  })
  .meta({ id: 'Evidence' });
export type Evidence = z.infer<typeof Evidence>;

/** The same for people. */
export function toMarkdown(evidence: Evidence): string {
  const sections = Object.entries(evidence).map(([name, value]) =>
    typeof value === 'object' ? `## ${name}\n\n${listOf(value)}` : `- ${name}: ${String(value)}`,
  );
  return `# Evidence\n\n${sections.join('\n\n')}\n`;
}

function listOf(section: object): string {
  return Object.entries(section)
    .map(([name, value]) => `- ${name}: ${typeof value === 'object' ? JSON.stringify(value) : String(value)}`)
    .join('\n');
}
