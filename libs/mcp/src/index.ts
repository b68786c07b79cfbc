export {
  decodedHeader,
  headerValue,
  type MirroredArgument,
  mirroredArguments,
  mirrorHeaders,
  subjectOf,
} from './headers.js';
export {
  ELICITATION_META,
  HANDSHAKE_VERSIONS,
  INVALID_PARAMS,
  isObject,
  type JsonObject,
  META,
  METHOD_NOT_FOUND,
  type RequestId,
  requestIdIn,
  STATELESS_VERSION,
  TASKS_EXTENSION,
} from './protocol.js';
export { type SseEvent, SseParser } from './sse-parser.js';
