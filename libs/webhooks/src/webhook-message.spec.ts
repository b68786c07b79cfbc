import { messageBody, messageHeaders } from './webhook-message.js';

const at = new Date('2026-01-01T00:00:00.250Z');

it('carries an event’s fields in data and at the top level, where the envelope’s names win', () => {
  const data = {
    request_id: 'apr_1',
    type: 'forged',
    event_id: 'forged',
    source: 'forged',
    data: 'forged',
    timestamp: 0,
  };
  const body = messageBody({ tenantId: 'tnt_1', eventId: 'evt_1', type: 'approval_requested', at, data });

  expect(JSON.parse(body)).toEqual({
    type: 'approval_requested',
    event: 'approval_requested',
    event_id: 'evt_1',
    timestamp: 1_767_225_600.25,
    source: 'haldir',
    data,
    request_id: 'apr_1',
  });
  expect(body).not.toContain('tnt_1');
});

describe('the headers', () => {
  const message = { webhookId: 7, eventId: 'evt_1', type: 'anomaly', body: '{}', attempt: 3 };

  it('say which event, which webhook, which attempt, and sign both ways', () => {
    expect(messageHeaders(message, ['whsec_bmV3'], 1_767_225_600)).toEqual({
      'content-type': 'application/json',
      'user-agent': expect.stringMatching(/^Haldir/),
      'webhook-id': 'evt_1',
      'webhook-timestamp': '1767225600',
      'webhook-signature': expect.stringMatching(/^v1,[A-Za-z0-9+/]{43}=$/),
      'x-haldir-event': 'anomaly',
      'x-haldir-timestamp': '1767225600',
      'x-haldir-webhook-id': '7',
      'x-haldir-delivery-attempt': '3',
      'x-haldir-signature': expect.stringMatching(/^sha256=[0-9a-f]{64}$/),
    });
  });

  it('hold a signature of each secret during a rotation, the current one’s first', () => {
    const [current, previous] = ['whsec_bmV3', 'whsec_b2xk'];
    const both = messageHeaders(message, [current, previous], 17);
    const now = messageHeaders(message, [current], 17);
    const before = messageHeaders(message, [previous], 17);

    expect(both['webhook-signature']).toBe(`${now['webhook-signature']} ${before['webhook-signature']}`);
    expect(both['x-haldir-signature']).toBe(now['x-haldir-signature']);
    expect(both['x-haldir-signature-prev']).toBe(before['x-haldir-signature']);
    expect(now).not.toHaveProperty('x-haldir-signature-prev');
  });
});
