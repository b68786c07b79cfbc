export { allForms, normalAddress, plainForms, ruleForms } from './address.js';
export { type Actor, keyActor } from './actor.js';
export { Batcher, type BatcherOptions } from './batcher.js';
export { Clock, SystemClock, toUnixSeconds } from './clock.js';
export { type ErrorKind, HaldirError, InvalidInput, Unavailable } from './haldir-error.js';
export { visibleJson, visibleText } from './hidden-text.js';
export { firstIdAt, newId } from './ids.js';
export { canonicalJson, findUnstorable, type JsonValue } from './json.js';
export {
  currencyExponent,
  fromMinorUnits,
  type MicroUsd,
  microUsd,
  minorToMicros,
  toDollars,
  toMinorUnits,
} from './money.js';
export { VERSION } from './version.js';
