export { ApiKeyGuard } from './auth/api-key.guard.js';
export {
  AgentKeyNotAllowed,
  Authenticator,
  MissingKeyScope,
  PersonAuthenticator,
  requireKeyScope,
  Unauthenticated,
} from './auth/authenticator.js';
export {
  AGENT_KEY_SCOPES,
  type Caller,
  CurrentActor,
  ClosedToPersons,
  CurrentCaller,
  ForConnectors,
  ForPersons,
  grantsKeyScope,
  isKeyScope,
  KEY_SCOPES,
  type HaldirReply,
  type HaldirRequest,
  type KeyScope,
  OpenToAgents,
  OptionalCaller,
  PAGE_TOKEN_HEADER,
  PublicRoute,
  RequiresKey,
  RequiresScope,
} from './auth/caller.js';
export { originOf } from './auth/origin.js';
export { Origins } from './auth/origins.js';
export { OwnPages } from './auth/own-pages.js';
export { cookieIn, NO_PERSON_COOKIE, personCookie, personCookieOf } from './auth/person-cookie.js';
export { Callers } from './auth/callers.js';
export { HttpModule } from './http.module.js';
export {
  BODY_LIMIT_BYTES,
  AnswersBadBody,
  readInnerJson,
  UnsupportedMedia,
  useJsonBodies,
} from './platform/body-parser.js';
export { refuseAddress, refuseConnection, refuseExpectation } from './platform/malformed-requests.js';
export { FailedAuthThrottle } from './quota/failed-auth-throttle.js';
export { Quota } from './quota/quota.js';
export { PAGE_STYLE, type Pages, SCRIPTED_PAGE } from './platform/pages.js';
export { requestId, useRequestHooks } from './platform/request-hooks.js';
export { KnownRoutes } from './platform/known-routes.js';
export { Cursors } from './wire/cursors.js';
export {
  bodyTime,
  decimal,
  invalidInput,
  longPageQuery,
  MAX_LIMIT,
  nextCursor,
  nullableTime,
  pageQuery,
  queryInt,
  queryTime,
} from './wire/fields.js';
export { isObject, type Json, mapObjects, withoutNoise } from './wire/json-schema.js';
export { foreignMembers, warningsOf } from './wire/members.js';
export { plainNumbers } from './wire/plain-numbers.js';
export { PublicAddress } from './wire/public-address.js';
export { JsonBody } from './wire/json-body.js';
export { Answers, Refuses, Returns } from './wire/returns.js';
export { useWarnings } from './wire/schema.pipe.js';
export { type ErrorAnswer, Waits } from './platform/route-settings.js';
export { ErrorFilter } from './wire/error.filter.js';
export { Write, writeOf, type WriteRequest } from './writes/write-request.js';
export { IdempotencyInProgress, OutcomeUnknown } from './writes/idempotency.errors.js';
export { type Claim, leaveUnknown } from './writes/idempotency.repository.js';
export { Answer, ANONYMOUS_REPLAY_MS, type Attempt, Writes } from './writes/writes.js';
