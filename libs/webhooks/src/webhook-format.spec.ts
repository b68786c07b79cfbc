import { type PublishedEvent } from '@haldir/events';
import { bodyIn, type WebhookFormat } from './webhook-format.js';
import { messageBody } from './webhook-message.js';

const PUBLIC_URL = 'https://haldir.example.com';
const PAGE = `${PUBLIC_URL}/approvals/apr_1`;
const at = new Date('2026-01-01T00:00:00.250Z');

type Data = PublishedEvent['data'];
type Json = any; // eslint-disable-line @typescript-eslint/no-explicit-any

function sent(
  format: WebhookFormat,
  type: PublishedEvent['type'],
  data: Data,
  publicUrl: string | null = PUBLIC_URL,
): Json {
  const body = messageBody({ tenantId: 'tnt_1', eventId: 'evt_1', type, at, data });
  return JSON.parse(bodyIn(format, { type, body }, publicUrl));
}

const request: Data = {
  ...{ request_id: 'apr_1', agent_id: 'payer', tool: 'up.pay', action: 'tool_call', amount: 2.5, reason: 'over 2 USD' },
  ...{ rule_id: 'pol_1', rule: 'require_approval', details: '{"to":"dana"}', details_cut: false, page: PAGE },
};
const facts = [
  ...['Agent: payer', 'Tool: up.pay', 'Action: tool_call', 'Amount: 2.5 USD', 'Reason: over 2 USD'],
  ...['Asked by: require_approval pol_1', 'Details: {"to":"dana"}'],
];

it('is the event itself, byte for byte, unless a chat is told', () => {
  const body = messageBody({ tenantId: 'tnt_1', eventId: 'evt_1', type: 'approval_requested', at, data: request });
  expect(bodyIn('haldir', { type: 'approval_requested', body }, PUBLIC_URL)).toBe(body);
});

describe('for Slack', () => {
  const textsOf = ({ blocks }: Json): string[] => blocks.map(({ text }: Json) => text.text as string);

  it('says who asks for what and why, and links to the page that decides', () => {
    const message = sent('slack', 'approval_requested', request);
    expect(Object.keys(message)).toEqual(['text', 'blocks']);
    expect(message.text).toBe(`Haldir: Approval requested. <${PAGE}|Open in Haldir>`);
    expect(textsOf(message)).toEqual(['Approval requested', ...facts, `<${PAGE}|Open in Haldir>`]);
    expect(JSON.stringify(message)).not.toMatch(/"type":"(actions|button)"/);
  });

  it('has what others wrote in plain texts alone, where it is neither mention nor link, and hides nothing', () => {
    const hostile = '<!channel> <@U1> <https://evil.example|Open in Haldir> *bold* &amp; \u202e\u200b @here';
    const fields = {
      agent_id: hostile,
      reason: hostile.replace(/[\u202e\u200b]/g, ''),
      tool: '<!here>',
      action: '<#C1>',
    };
    const message = sent('slack', 'approval_requested', { ...request, ...fields, details: 'a <!everyone>' });
    expect(message.text).toBe(`Haldir: Approval requested. <${PAGE}|Open in Haldir>`);
    const written = message.blocks.slice(1, -1);
    for (const { text } of written) {
      expect(text).toMatchObject({ type: 'plain_text', emoji: false });
      expect(text.text).not.toMatch(/[<>\u202e\u200b]|&(?!amp;|lt;|gt;)/);
    }
    expect(textsOf(message)[1]).toBe(
      'Agent: &lt;!channel&gt; &lt;@U1&gt; &lt;https://evil.example|Open in Haldir&gt; *bold* &amp;amp; \\u{202e}\\u{200b} @here',
    );
  });

  it('keeps each text on a line of its own, and within what Slack takes', () => {
    const long = { reason: 'x\nAmount: 0 USD', details: '&<😀\n'.repeat(2000), agent_id: '\u202e'.repeat(5000) };
    const message = sent('slack', 'approval_requested', { ...request, ...long });
    expect(textsOf(message)).toContain('Reason: x ⏎ Amount: 0 USD');
    for (const text of textsOf(message)) {
      expect(text.length).toBeLessThanOrEqual(3000);
      expect(text).not.toMatch(/[\r\n]/);
      expect(text.isWellFormed()).toBe(true);
    }
    // Of all blocks together Slack takes 13,200 characters.
    expect(JSON.stringify(message.blocks).length).toBeLessThan(13_000);
  });

  it('links to nothing while Haldir has no address', () => {
    const { page: _, ...rest } = request;
    const message = sent('slack', 'approval_requested', rest, null);
    expect([message.text, JSON.stringify(message).includes('http')]).toEqual(['Haldir: Approval requested', false]);
  });
});

describe('for Teams', () => {
  const cardOf = (message: Json): Json => message.attachments[0].content;
  const textOf = ({ text, inlines }: Json): string => text ?? inlines.map((run: Json) => run.text).join('');

  it('is a message with an Adaptive Card that says who asks for what and why, and opens the page that decides', () => {
    const message = sent('teams', 'approval_requested', request);
    expect(message).toMatchObject({
      type: 'message',
      attachments: [{ contentType: 'application/vnd.microsoft.card.adaptive', contentUrl: null }],
    });
    const card = cardOf(message);
    expect([card.type, card.version]).toEqual(['AdaptiveCard', '1.4']);
    expect(card.body.map(textOf)).toEqual(['Approval requested', ...facts]);
    expect(card.actions).toEqual([{ type: 'Action.OpenUrl', title: 'Open in Haldir', url: PAGE }]);
  });

  it('has what others wrote in runs of text alone, which read no Markdown and name nobody', () => {
    const hostile = '[Open](https://evil.example) **b** <at>Dana</at> {{DATE(2017-02-14T06:08:39Z)}}\n\u202e';
    const card = cardOf(
      sent('teams', 'anomaly', { agent_id: hostile, tool: hostile, action: hostile, reason: hostile }),
    );
    expect(card.body[0]).toMatchObject({ type: 'TextBlock', text: 'An action was flagged' });
    for (const { type, inlines } of card.body.slice(1)) {
      expect(type).toBe('RichTextBlock');
      for (const run of inlines) expect([run.type, /[\n\u202e]/.test(run.text)]).toEqual(['TextRun', false]);
    }
    expect(JSON.stringify(card)).not.toMatch(/"(msteams|entities|selectAction|fallback)"/);
    expect(JSON.stringify(card)).toContain('\\\\u{202e}');
  });

  it('stays within the 28 KB that Teams takes, whatever is in it', () => {
    const long = { reason: '\u{e0041}'.repeat(9000), details: '"😀\\'.repeat(4000), tool: 'ß'.repeat(4000) };
    const body = JSON.stringify(sent('teams', 'approval_requested', { ...request, ...long }));
    expect(Buffer.byteLength(body)).toBeLessThan(28 * 1024);
  });
});

describe.each(['slack', 'teams'] as const)('any event for %s', (format) => {
  it.each<[PublishedEvent['type'], Data, string]>([
    ['webhook_test', { webhook_id: 7, message: 'This is a test event from Haldir' }, 'Test'],
    [
      'budget_threshold',
      { scope: 'session', session_id: 'ses_secret', threshold: 80, limit: 5 },
      'A budget is used up to 80 %',
    ],
    ['budget_exhausted', { session_id: 'ses_secret', agent_id: 'a', spent: 5, limit: 5 }, 'A budget is used up'],
    ['agent_frozen', { agent_id: null, reason: 'x', by: 'dana' }, 'All agents were frozen'],
    ['agent_frozen', { agent_id: 'a', reason: 'x', by: 'dana' }, 'An agent was frozen'],
    ['agent_unfrozen', { agent_id: 'a', by: 'dana' }, 'An agent goes on'],
    [
      'anomaly',
      { agent_id: null, tool: 'up.pay', action: 'tool_drift', reason: 'tool_drift: otherwise' },
      'A tool has changed',
    ],
    [
      'key_expiring',
      { prefix: 'hld_x', name: '', expires_at: '2026-01-08T00:00:00Z' },
      'An API key is about to expire',
    ],
  ])('has a title for %s, and no credential', (type, data, title) => {
    const message = JSON.stringify(sent(format, type, data));
    expect(message).toContain(`"${title}"`);
    expect(message).not.toContain('ses_secret');
  });
});
