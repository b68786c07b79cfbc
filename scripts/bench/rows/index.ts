import { auditHot, auditSpread } from './audit-append.js';
import { connect } from './connect.js';
import { gateways } from './gateways.js';
import { longLog } from './long-log.js';
import { mcpCall, mcpCallAgentKey, mcpCallOlder } from './mcp-call.js';
import { mcpList } from './mcp-list.js';
import { mcpSearch } from './mcp-search.js';
import { memory } from './memory.js';
import { named } from './named.js';
import { paymentHot, paymentSpread } from './payment.js';
import { proxyCall } from './proxy-call.js';
import { rotation } from './rotation.js';
import { secretRead } from './secret-read.js';
import { sessionCheck } from './session-check.js';
import { sessionCreate } from './session-create.js';
import { sessionRead } from './session-read.js';
import { simulate } from './simulate.js';
import { webhook } from './webhook.js';
import { worst } from './worst.js';

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
  mcpSearch,
  webhook,
  rotation,
  simulate,
  ...named,
  connect,
  gateways,
  memory,
  ...worst,
  ...longLog,
];
