export { allForms, normalAddress, plainForms, ruleForms } from './address.js';
export {
  type Actor,
  agentActor,
  type AgentGrant,
  CATALOGUE_KINDS,
  type CatalogueKind,
  haldirActor,
  keyActor,
  mayUseUpstream,
  personActor,
  type Origin,
  SPEND_PERIODS,
  type SpendPeriod,
  connectorActor,
  type ConnectorGrant,
} from './actor.js';
export { Batcher } from './batcher.js';
export { DIALOGUE_MS, LONGEST_CALL_MS, MAX_CALL_SECONDS } from './call-limits.js';
export { Clock, SystemClock, toUnixSeconds } from './clock.js';
export { type ErrorKind, HaldirError, InvalidInput, Unavailable } from './haldir-error.js';
export { visibleJson, visibleJsonText, visibleText, visibleTextInTurns } from './hidden-text.js';
export { firstIdAt, newId } from './ids.js';
export { canonicalJson, findUnstorable, type JsonValue } from './json.js';
export { exactNumber, isNumber, isWhole, JsonNumber } from './json-number.js';
export { parseJson, stringifyJson, TooDeep, TooManyValues } from './json-text.js';
export {
  currencyExponent,
  fromMinorUnits,
  MAX_EXPONENT,
  type MicroUsd,
  microUsd,
  minorToMicros,
  settledUnits,
  toDollars,
  toMinorUnits,
} from './money.js';
export { Turns } from './turns.js';
export {
  addDecimals,
  compareDecimals,
  type Decimal,
  decimalOf,
  nearestUnits,
  toJsonNumber,
  unitsAbove,
} from './decimal.js';
export { VERSION } from './version.js';
export { readsAsOwn } from './own-name.js';
export { withDeadline } from './with-deadline.js';
export { type Cidr, contains, type IpBytes, parseCidr, parseIp, unmapped } from './ip-address.js';
