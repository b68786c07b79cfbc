import { z } from 'zod';
import { NOTIFICATION_KINDS } from '../notification-kinds.js';
import { type OwnNotifications } from '../notifications.service.js';

const EXPECTED = `expected a list of ${NOTIFICATION_KINDS.join(', ')}, or null`;
const kind = z.enum(NOTIFICATION_KINDS, `expected one of ${NOTIFICATION_KINDS.join(', ')}`);

const kinds = z.array(kind, EXPECTED).max(16, 'expected a list of at most 16').nullable();

export const ChooseNotifications = z.object({
  notify: kinds.describe(
    'What to be told of by e-mail; empty for nothing, null for what those of the role are told of',
  ),
  push: kinds.optional().describe('The same for browsers; without it that stays as it is'),
});
export type ChooseNotifications = z.infer<typeof ChooseNotifications>;

export const OwnNotificationsView = z.object({
  email: z.string().describe('Where it is sent'),
  email_sent: z.boolean().describe('Whether this Haldir sends e-mail: HALDIR_SMTP_URL'),
  notify: z.array(kind),
  chosen: z.boolean().describe('False: what those of the role are told of'),
  push: z.array(kind).describe('What browsers are told of'),
  push_chosen: z.boolean(),
  available: z.array(kind).describe('What may be chosen'),
});
export type OwnNotificationsView = z.infer<typeof OwnNotificationsView>;

export function toOwnNotificationsView(own: OwnNotifications): OwnNotificationsView {
  const { email, isSent, mail, push, available } = own;
  return {
    email,
    email_sent: isSent,
    available: [...available],
    notify: [...mail.kinds],
    chosen: mail.isChosen,
    push: [...push.kinds],
    push_chosen: push.isChosen,
  };
}
