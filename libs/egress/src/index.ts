export {
  Egress,
  type EgressOptions,
  type EgressRequest,
  type EgressResponse,
  type EgressStream,
  EgressTarget,
} from './egress.js';
export { type ResponseHeaders } from './egress-exchange.js';
export { type Connector, type ConnectTarget, type Resolver } from './egress-connector.js';
export { EgressModule } from './egress.module.js';
export { EgressFailed, EgressRefused, type FailureReason, type RefusalReason } from './egress.errors.js';
export { EgressPolicy } from './egress-policy.js';
