export { Authenticator, requireKeyScope, Unauthenticated } from './auth/authenticator.js';
export {
  ACTIONS,
  type Caller,
  CurrentCaller,
  grantsKeyScope,
  type HaldirReply,
  type HaldirRequest,
  type KeyScope,
  OptionalCaller,
  PublicRoute,
  RequiresScope,
  RESOURCES,
} from './auth/caller.js';
export { HttpModule } from './http.module.js';
export { BODY_LIMIT_BYTES, useJsonBodies } from './platform/body-parser.js';
export { refuseAddress, refuseConnection } from './platform/malformed-requests.js';
export { requestId, useRequestHooks } from './platform/request-hooks.js';
export { KnownRoutes } from './platform/unknown-routes.js';
export { Cursors, type ListIdentity } from './wire/cursors.js';
export { decimal, longPageQuery, MAX_LIMIT, nextCursor, pageQuery, queryInt, queryTime } from './wire/fields.js';
export { Answers, Refuses, Returns } from './wire/returns.js';
export { Answer, Write, type WriteRequest, Writes } from './writes/writes.js';
