export { Egress, type EgressResponse, type EgressStream, EgressTarget } from './egress.js';
export { type ResponseHeaders } from './egress-exchange.js';
export { EgressModule } from './egress.module.js';
export { EgressFailed, EgressRefused } from './egress.errors.js';
export { EgressPolicy } from './egress-policy.js';
