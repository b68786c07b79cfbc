import { contentHash } from './entry-hash.js';

it('the hash of an entry tells apart fields that read the same when joined', () => {
  const entry = {
    tenantId: 'tnt_1',
    entryId: 'aud_1',
    source: 'agent',
    sessionId: 'ses_1',
    agentId: 'agent',
    tool: 'mail.send',
    action: 'now',
    costMicros: '1',
    detailsHash: null,
    actorId: 'hld_1',
    contextHash: null,
  };
  const shifted = [
    { ...entry, tool: 'mail', action: '.sendnow' },
    { ...entry, agentId: '', tool: 'agentmail.send' },
    { ...entry, tool: 'mail.send","now', action: '' },
    { ...entry, action: 'now1', costMicros: '' },
    { ...entry, actorId: null },
    { ...entry, actorId: 'hld_1","agent', agentId: '' },
    { ...entry, contextHash: '' },
  ];
  expect(new Set([entry, ...shifted].map((one) => String(contentHash(one)))).size).toBe(1 + shifted.length);
});
