import { type Balancer, startBalancer as startRoundRobin } from '../../scripts/lib/balancer.mjs';
import { type AppProcess } from './processes.js';

export { type Balancer };

/**
 * A load balancer without stickiness: each request goes to the next process.
 *
 * @param headers set on every request, in place of what was sent
 */
export function startBalancer(apps: readonly AppProcess[], headers: Record<string, string> = {}): Promise<Balancer> {
  return startRoundRobin(
    apps.map(({ url }) => url),
    headers,
  );
}
