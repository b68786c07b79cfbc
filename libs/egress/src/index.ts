export { Egress, type EgressRequest, type EgressResponse, EgressTarget } from './egress.js';
export { type EgressStream, Exchange, type ResponseHeaders, streamOf } from './egress-exchange.js';
export { EgressModule } from './egress.module.js';
export { EgressFailed, EgressRefused } from './egress.errors.js';
export { EgressPolicy } from './egress-policy.js';
