import { queryOptions } from '@tanstack/react-query';
import { askPage } from '../api/client.ts';
import { OWN } from './people.ts';

/** What whoever is signed in is told of, as `GET /v1/me/notifications` answers (docs/notifications.md). */
export interface OwnNotifications {
  email: string;
  /** Whether this Haldir sends e-mail. */
  email_sent: boolean;
  /** By e-mail. */
  notify: string[];
  /** False: what those of the role are told of. */
  chosen: boolean;
  /** In browsers. */
  push: string[];
  push_chosen: boolean;
  available: string[];
}

/** Ways to be told, by the member that has what is chosen for each; a column each. */
export const CHANNELS = { notify: 'E-mail', push: 'Push' } as const;
export type Channel = keyof typeof CHANNELS;
export type Choice = Record<Channel, string[] | null>;

export const notificationsQuery = queryOptions({
  queryKey: [OWN, 'notifications'],
  queryFn: () => askPage<OwnNotifications>('GET', '/v1/me/notifications'),
});

/** @param choice null: what those of the role are told of */
export function choose(choice: Choice): Promise<OwnNotifications> {
  return askPage('PUT', '/v1/me/notifications', choice);
}

/** What a person can be told of, in words. */
export const KINDS: Record<string, string> = {
  approval_requested: 'Something waits for a human',
  own_approval_outcome: 'What I approved has ended',
  approval_outcome: 'Anything that was asked about has ended',
  anomaly: 'An entry of the log was flagged',
  tool_drift: 'A tool is held back, because it changed',
  webhook_disabled: 'A webhook was switched off',
  budget_threshold: 'A budget is used up to 50, 80 or 100 %',
};
