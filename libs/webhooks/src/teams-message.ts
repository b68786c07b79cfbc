import { type Notice } from '@haldir/events';

/** One run of text as it stands: unlike a TextBlock, it reads no Markdown. */
interface TextRun {
  type: 'TextRun';
  text: string;
  weight?: 'Bolder';
}

interface CardElement {
  type: 'TextBlock' | 'RichTextBlock';
  [member: string]: unknown;
}

/**
 * The message with one Adaptive Card that a workflow of Teams posts when it receives a webhook request
 * (https://learn.microsoft.com/en-us/microsoftteams/platform/webhooks-and-connectors/how-to/connectors-using). What others wrote
 * stands in runs of text (https://adaptivecards.io/explorer/TextRun.html), where nothing is markup; without entities there are no mentions.
 */
export function teamsMessage({ title, facts, link }: Notice): Readonly<Record<string, unknown>> {
  const body: CardElement[] = [
    { type: 'TextBlock', text: title, size: 'Large', weight: 'Bolder', wrap: true },
    ...facts.map(({ name, value }) => ({ type: 'RichTextBlock' as const, inlines: [bold(`${name}: `), run(value)] })),
  ];
  const content = {
    $schema: 'http://adaptivecards.io/schemas/adaptive-card.json',
    type: 'AdaptiveCard',
    version: '1.4',
    body,
    ...(link === null ? {} : { actions: [{ type: 'Action.OpenUrl', title: 'Open in Haldir', url: link }] }),
  };
  return {
    type: 'message',
    attachments: [{ contentType: 'application/vnd.microsoft.card.adaptive', contentUrl: null, content }],
  };
}

function run(text: string): TextRun {
  return { type: 'TextRun', text };
}

function bold(text: string): TextRun {
  return { ...run(text), weight: 'Bolder' };
}
