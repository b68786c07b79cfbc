import { Foundation1790000000000 } from './1790000000000-foundation.js';
import { AuditLog1790000000001 } from './1790000000001-audit-log.js';
import { Vault1790000000002 } from './1790000000002-vault.js';
import { Approvals1790000000003 } from './1790000000003-approvals.js';
import { Webhooks1790000000004 } from './1790000000004-webhooks.js';
import { Proxy1790000000005 } from './1790000000005-proxy.js';
import { AuditTree1790000000006 } from './1790000000006-audit-tree.js';
import { AuditSums1790000000007 } from './1790000000007-audit-sums.js';
import { Walls1790000000008 } from './1790000000008-walls.js';
import { AgentKeys1790000000009 } from './1790000000009-agent-keys.js';
import { QuotaOfTenants1790000000010 } from './1790000000010-quota-of-tenants.js';
import { AuditActors1790000000011 } from './1790000000011-audit-actors.js';
import { StartedCalls1790000000012 } from './1790000000012-started-calls.js';
import { UpstreamMemory1790000000013 } from './1790000000013-upstream-memory.js';
import { WebhookRecovery1790000000014 } from './1790000000014-webhook-recovery.js';
import { Numbers1790000000015 } from './1790000000015-numbers.js';
import { SealedGrants1790000000018 } from './1790000000018-sealed-grants.js';
import { PaymentDays1790000000019 } from './1790000000019-payment-days.js';
import { Filters1790000000022 } from './1790000000022-filters.js';
import { UpstreamTold1790000000023 } from './1790000000023-upstream-told.js';
import { WholeDetails1790000000024 } from './1790000000024-whole-details.js';
import { UpstreamLimits1790000000030 } from './1790000000030-upstream-limits.js';
import { RefusedDefinitions1790000000031 } from './1790000000031-refused-definitions.js';
import { UpstreamSessions1790000000032 } from './1790000000032-upstream-sessions.js';
import { ModelNames1790000000034 } from './1790000000034-model-names.js';
import { LinkedResources1790000000035 } from './1790000000035-linked-resources.js';
import { UpstreamCircuit1790000000038 } from './1790000000038-upstream-circuit.js';
import { SearchedCatalogues1790000000040 } from './1790000000040-searched-catalogues.js';
import { Connectors1790000000041 } from './1790000000041-connectors.js';
import { McpTasks1790000000042 } from './1790000000042-mcp-tasks.js';
import { ListChanges1790000000043 } from './1790000000043-list-changes.js';
import { RegisteredAt1790000000044 } from './1790000000044-registered-at.js';
import { ConnectorsKnown1790000000045 } from './1790000000045-connectors-known.js';
import { OneTaskACall1790000000046 } from './1790000000046-one-task-a-call.js';
import { WordsOfTools1790000000047 } from './1790000000047-words-of-tools.js';
import { People1790000000048 } from './1790000000048-people.js';
import { NotKnownDelivered1790000000049 } from './1790000000049-not-known-delivered.js';
import { Passkeys1790000000050 } from './1790000000050-passkeys.js';
import { SignedDecisions1790000000051 } from './1790000000051-signed-decisions.js';
import { Oidc1790000000052 } from './1790000000052-oidc.js';
import { Delegation1790000000053 } from './1790000000053-delegation.js';
import { Evidence1790000000054 } from './1790000000054-evidence.js';
import { ApprovalGrants1790000000055 } from './1790000000055-approval-grants.js';
import { WebhookFormats1790000000056 } from './1790000000056-webhook-formats.js';
import { Notifications1790000000057 } from './1790000000057-notifications.js';
import { ApprovalOutcomes1790000000060 } from './1790000000060-approval-outcomes.js';
import { WebPush1790000000063 } from './1790000000063-web-push.js';

/** In the order they run. A merged migration stays as it is; the next one follows it. */
export const migrations = [
  Foundation1790000000000,
  AuditLog1790000000001,
  Vault1790000000002,
  Approvals1790000000003,
  Webhooks1790000000004,
  Proxy1790000000005,
  AuditTree1790000000006,
  AuditSums1790000000007,
  Walls1790000000008,
  AgentKeys1790000000009,
  QuotaOfTenants1790000000010,
  AuditActors1790000000011,
  StartedCalls1790000000012,
  UpstreamMemory1790000000013,
  WebhookRecovery1790000000014,
  Numbers1790000000015,
  SealedGrants1790000000018,
  PaymentDays1790000000019,
  Filters1790000000022,
  UpstreamTold1790000000023,
  WholeDetails1790000000024,
  UpstreamLimits1790000000030,
  RefusedDefinitions1790000000031,
  UpstreamSessions1790000000032,
  ModelNames1790000000034,
  LinkedResources1790000000035,
  UpstreamCircuit1790000000038,
  SearchedCatalogues1790000000040,
  Connectors1790000000041,
  McpTasks1790000000042,
  ListChanges1790000000043,
  RegisteredAt1790000000044,
  ConnectorsKnown1790000000045,
  OneTaskACall1790000000046,
  WordsOfTools1790000000047,
  People1790000000048,
  NotKnownDelivered1790000000049,
  Passkeys1790000000050,
  SignedDecisions1790000000051,
  Oidc1790000000052,
  Delegation1790000000053,
  Evidence1790000000054,
  ApprovalGrants1790000000055,
  WebhookFormats1790000000056,
  Notifications1790000000057,
  ApprovalOutcomes1790000000060,
  WebPush1790000000063,
];
