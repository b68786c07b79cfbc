// @ts-check
import { auditHot, auditSpread } from './audit-append.mjs';
import { longLog } from './long-log.mjs';
import { mcpCall, mcpCallAgentKey, mcpCallOlder } from './mcp-call.mjs';
import { mcpList } from './mcp-list.mjs';
import { paymentHot, paymentSpread } from './payment.mjs';
import { proxyCall } from './proxy-call.mjs';
import { rotation } from './rotation.mjs';
import { secretRead } from './secret-read.mjs';
import { sessionCheck } from './session-check.mjs';
import { sessionCreate } from './session-create.mjs';
import { sessionRead } from './session-read.mjs';
import { simulate } from './simulate.mjs';
import { webhook } from './webhook.mjs';
import { worst } from './worst.mjs';

/** In the order in which they are measured and shown. */
export const rows = [
  sessionCheck,
  sessionRead,
  secretRead,
  auditHot,
  auditSpread,
  paymentHot,
  paymentSpread,
  sessionCreate,
  proxyCall,
  mcpCall,
  mcpCallOlder,
  mcpCallAgentKey,
  mcpList,
  webhook,
  rotation,
  simulate,
  ...worst,
  ...longLog,
];
