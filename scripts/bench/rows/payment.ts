import { watchLogs } from '../tenant.js';
import { type Row } from '../row.js';
import { type Gate } from '../measurement.js';
import { type Tenant } from '../tenant.js';
import { type World } from '../world.js';

/** US dollars; no load exhausts it. */
const AMPLE = 1_000_000;
/** A cent, so that cents count payments. */
const AMOUNT = 0.01;

export const paymentHot = payment('payment-hot', 'payment, 1 hot session', 1);
export const paymentSpread = payment('payment-spread', 'payment, 1,000 sessions', 1000);

/** @param count of sessions */
function payment(name: string, title: string, count: number): Row {
  return {
    name,
    title,
    target: 0.14,
    prepare: async (world) => {
      const tenant = await world.tenant();
      const sessions = await tenant.sessions(count, { spend_limit: AMPLE });
      const { measure, acknowledged } = world.api(sessions.map((id) => pay(tenant, id)));
      const log = await watchLogs(tenant);
      return {
        measure,
        limits: [world.limits.route, world.limits.commit],
        finish: async () => ({
          gates: [
            await log(acknowledged()),
            await spentAsPaid(tenant, sessions, acknowledged()),
            await exactBudget(world, tenant),
          ],
        }),
      };
    },
  };
}

function pay(tenant: Tenant, sessionId: string) {
  return tenant.post('/v1/payments/authorize', { session_id: sessionId, amount: AMOUNT, description: 'order 1042' });
}

/** What the sessions have spent is what was paid, cent by cent, and no acknowledged payment is missing. */
async function spentAsPaid(tenant: Tenant, sessions: string[], acknowledged: number): Promise<Gate> {
  let cents = 0;
  for (const id of sessions) cents += Math.round((await tenant.send('GET', `/v1/sessions/${id}`)).spent * 100);
  const { payments } = await tenant.send('GET', '/v1/audit/spend');
  const paid = Math.round(payments.total_usd * 100);
  return {
    claim: 'the sessions have spent what was paid, and no acknowledged payment is missing',
    holds: cents === paid && payments.count === paid && payments.count >= acknowledged,
    detail: `${cents} cents spent, ${paid} cents paid, ${payments.count} payments, ${acknowledged} acknowledged`,
  };
}

/** A budget for so many payments lets exactly so many through when twice as many are asked for at once. */
async function exactBudget(world: World, tenant: Tenant): Promise<Gate> {
  const payments = 500;
  const [id = ''] = await tenant.sessions(1, { spend_limit: payments * AMOUNT });
  const { ok, others } = await world.load({ amount: 2 * payments, requests: [pay(tenant, id)] });
  const { spent, remaining_budget: remaining } = await tenant.send('GET', `/v1/sessions/${id}`);
  return {
    claim: `a budget for ${payments} payments lets exactly ${payments} through`,
    holds: ok === payments && others['403'] === payments && spent === payments * AMOUNT && remaining === 0,
    detail: `${ok} of ${2 * payments} authorised, ${remaining} USD left`,
  };
}
