export { SEALED_PUSH_SUBSCRIPTIONS } from './push-seal.js';
