import { eventsOf, type StreamEvent } from './events.ts';

async function read(...texts: (string | Uint8Array)[]): Promise<StreamEvent[]> {
  const encoder = new TextEncoder();
  const chunks = (async function* () {
    for (const text of texts) yield typeof text === 'string' ? encoder.encode(text) : text;
  })();
  const events = [];
  for await (const event of eventsOf(chunks)) events.push(event);
  return events;
}

it('reads events, and the id with which a quiet stream begins', async () => {
  expect(await read('id: 6\n:\n\n', 'id: 7\nevent: entry\ndata: {"a":1}\n\n:\n\n')).toEqual([
    { id: '6', event: '', data: '' },
    { id: '7', event: 'entry', data: '{"a":1}' },
    { id: '', event: '', data: '' },
  ]);
});

it('reads what comes in pieces, wherever it is cut, within a character too', async () => {
  const whole = new TextEncoder().encode('id: 7\nevent: entry\ndata: "é"\n\n');
  for (let at = 1; at < whole.length; at++)
    expect(await read(whole.slice(0, at), whole.slice(at))).toEqual([{ id: '7', event: 'entry', data: '"é"' }]);
});

it('leaves what has not ended', async () => {
  expect(await read('id: 7\nevent: entry\ndata: 1')).toEqual([]);
});
