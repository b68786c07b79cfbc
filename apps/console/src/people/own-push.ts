import { queryOptions } from '@tanstack/react-query';
import { askPage } from '../api/client.ts';
import { Problem } from '../api/problem.ts';
import { BASE } from '../base.ts';
import { OWN } from './people.ts';

/** A browser in which whoever is signed in is told, as `GET /v1/me/push` answers (docs/notifications.md). */
interface ToldBrowser {
  subscription_id: string;
  browser: string;
  service: string;
  endpoint_sha256: string;
  created_at: number;
  told_at: number | null;
}

/** What is known of the browsers of a person, and of this one. */
export interface OwnPush {
  public_key: string;
  subscriptions: ToldBrowser[];
  /** SHA-256 of the endpoint of this browser; null where it has none. */
  here: string | null;
}

/** Whether this browser can be told anything: over https, or on this machine. */
export const CAN_PUSH = 'serviceWorker' in navigator && 'PushManager' in window && 'Notification' in window;

const WORKER = `${BASE}/console/push-worker.js`;

export const pushQuery = queryOptions({
  queryKey: [OWN, 'push'],
  queryFn: async (): Promise<OwnPush> => {
    const told = await askPage<Omit<OwnPush, 'here'>>('GET', '/v1/me/push');
    const subscription = await subscriptionHere();
    return { ...told, here: subscription && (await digestOf(subscription.endpoint)) };
  },
});

/** Has this browser be told, after it has asked whoever sits at it. @throws Problem where they, or it, will not */
export async function tellHere(publicKey: string): Promise<ToldBrowser> {
  if ((await Notification.requestPermission()) !== 'granted')
    throw new Problem('This browser does not let Haldir notify you. Allow it in the settings of the site.', 0);
  const registration = await navigator.serviceWorker.register(WORKER);
  await activated(registration);
  let subscription;
  try {
    subscription = await registration.pushManager.subscribe({ userVisibleOnly: true, applicationServerKey: publicKey });
  } catch {
    // Made for another Haldir that was at this address, or its push service is not there.
    await (await registration.pushManager.getSubscription())?.unsubscribe();
    throw new Problem('The push service of this browser could not be reached, or refused. Try again.', 0);
  }
  const { endpoint, keys } = subscription.toJSON();
  return askPage('POST', '/v1/me/push', { endpoint, keys, browser: nameOf(navigator.userAgent) });
}

export async function tellNoMore({ subscription_id: id, endpoint_sha256: digest }: ToldBrowser): Promise<void> {
  await askPage('DELETE', `/v1/me/push/${encodeURIComponent(id)}`);
  const subscription = await subscriptionHere();
  if (subscription && (await digestOf(subscription.endpoint)) === digest) await subscription.unsubscribe();
}

async function subscriptionHere(): Promise<PushSubscription | null> {
  if (!CAN_PUSH) return null;
  const registration = await navigator.serviceWorker.getRegistration(WORKER);
  return (await registration?.pushManager.getSubscription()) ?? null;
}

async function activated({ installing, waiting }: ServiceWorkerRegistration): Promise<void> {
  const worker = installing ?? waiting;
  if (!worker || worker.state === 'activated') return;
  await new Promise<void>((resolve) =>
    worker.addEventListener('statechange', () => worker.state === 'activated' && resolve()),
  );
}

/** In hex. */
async function digestOf(text: string): Promise<string> {
  const digest = await crypto.subtle.digest('SHA-256', new TextEncoder().encode(text));
  return [...new Uint8Array(digest)].map((byte) => byte.toString(16).padStart(2, '0')).join('');
}

/** What somebody calls a browser, from what it says of itself. */
function nameOf(agent: string): string {
  // Most say that they are Safari and Chrome, too.
  const browser =
    ['Firefox', 'Edg', 'OPR', 'Chrome', 'Safari'].find((name) => agent.includes(`${name}/`)) ?? 'A browser';
  const system = /\b(Android|iPhone|iPad|Windows|Mac OS X|Linux)\b/.exec(agent)?.[1];
  const named = { Edg: 'Edge', OPR: 'Opera' }[browser] ?? browser;
  return system === undefined ? named : `${named} on ${system.replace('Mac OS X', 'macOS')}`;
}
