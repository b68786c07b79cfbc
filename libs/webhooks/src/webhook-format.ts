import { stringifyJson } from '@haldir/kernel';
import { noticeOf, type PublishedEvent } from '@haldir/events';
import { slackMessage } from './slack-message.js';
import { teamsMessage } from './teams-message.js';

export const WEBHOOK_FORMATS = ['haldir', 'slack', 'teams'] as const;
/** How an endpoint is told: the event's own JSON, or a message that Slack, or a workflow of Teams, shows to people. */
export type WebhookFormat = (typeof WEBHOOK_FORMATS)[number];

/**
 * What is sent to an endpoint of a format; the same bytes at every attempt, for one address of the installation.
 *
 * @param body as `messageBody` made it, which is what `haldir` is sent
 * @param publicBase of the installation; null: messages link to nothing but what the event names
 */
export function bodyIn(
  format: WebhookFormat,
  { type, body }: { type: string; body: string },
  publicBase: string | null,
): string {
  if (format === 'haldir') return body;
  const { data } = JSON.parse(body) as { data: PublishedEvent['data'] };
  const notice = noticeOf({ type: type as PublishedEvent['type'], data }, publicBase);
  return stringifyJson(format === 'slack' ? slackMessage(notice) : teamsMessage(notice));
}
