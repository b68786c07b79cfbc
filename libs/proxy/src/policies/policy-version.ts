import { hash } from 'node:crypto';
import { canonicalJson, type JsonValue } from '@haldir/kernel';
import { type ApprovalRule } from '@haldir/approvals';
import { type Policy } from './policy.js';

/**
 * SHA-256, hex, of the RFC 8785 JSON of everything that decides about a tenant's calls: `{"policies":[…],"rules":[…]}`, each
 * by id, with amounts of money as decimal digits and times in ISO 8601. Whatever is changed, added or removed makes another.
 */
export function policyVersion(policies: readonly Policy[], rules: readonly ApprovalRule[]): string {
  const inOrder = <T extends { id: string }>(items: readonly T[]): T[] =>
    [...items].sort((one, other) => (one.id < other.id ? -1 : 1));
  const plain = JSON.stringify({ policies: inOrder(policies), rules: inOrder(rules) }, (_, value: unknown) =>
    typeof value === 'bigint' ? value.toString() : value,
  );
  return hash('sha256', canonicalJson(JSON.parse(plain) as JsonValue), 'hex');
}
