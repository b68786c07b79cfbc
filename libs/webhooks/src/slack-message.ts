import { cutText, type Notice } from '@haldir/events';

/** https://docs.slack.dev/reference/block-kit/composition-objects/text-object */
const MAX_TEXT = 3000;
/** https://docs.slack.dev/reference/block-kit/blocks/header-block */
const MAX_HEADER = 150;

interface PlainText {
  type: 'plain_text';
  text: string;
  emoji: false;
}

interface Block {
  type: 'header' | 'section';
  text: PlainText | { type: 'mrkdwn'; text: string; verbatim: true };
}

/**
 * The body of an incoming webhook of Slack (https://docs.slack.dev/messaging/sending-messages-using-incoming-webhooks). What others
 * wrote stands in plain texts alone, where nothing is markup; `text`, which is markup and makes the notification, is of our own words.
 */
export function slackMessage({ title, facts, link }: Notice): { text: string; blocks: Block[] } {
  const page = link === null ? null : `<${escaped(link)}|Open in Haldir>`;
  return {
    text: page === null ? `Haldir: ${title}` : `Haldir: ${title}. ${page}`,
    blocks: [
      { type: 'header', text: plain(title, MAX_HEADER) },
      ...facts.map(({ name, value }): Block => ({ type: 'section', text: plain(`${name}: ${value}`, MAX_TEXT) })),
      ...(page === null
        ? []
        : [{ type: 'section' as const, text: { type: 'mrkdwn' as const, text: page, verbatim: true as const } }]),
    ],
  };
}

function plain(text: string, max: number): PlainText {
  return { type: 'plain_text', text: escapedWithin(text, max), emoji: false };
}

/** What Slack reads as the beginning of a mention, a link or a date is written as what it shows as, in plain texts, too. */
function escaped(text: string): string {
  return text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;');
}

/** The longest beginning that is short enough once it is escaped. */
function escapedWithin(text: string, max: number): string {
  for (let end = Math.min(text.length, max); ; end = Math.floor(end * 0.8)) {
    const whole = escaped(cutText(text, end));
    if (whole.length <= max) return whole;
  }
}
