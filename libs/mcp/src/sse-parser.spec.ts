import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { type SseEvent, SseParser } from './sse-parser.js';

function parse(text: string, cuts: number[] = []): SseEvent[] {
  const bytes = Buffer.from(text, 'utf8');
  const parser = new SseParser();
  const ends = [...new Set(cuts.map((cut) => cut % (bytes.length + 1)))].sort((a, b) => a - b);
  let start = 0;
  const events: SseEvent[] = [];
  for (const end of [...ends, bytes.length]) {
    events.push(...parser.push(bytes.subarray(start, end)));
    start = end;
  }
  return events;
}

describe('SseParser', () => {
  it.each([
    ['data: a\n\n', [{ type: 'message', data: 'a' }]],
    ['data:a\r\n\r\n', [{ type: 'message', data: 'a' }]],
    ['data: a\r\r', [{ type: 'message', data: 'a' }]],
    ['data: a\ndata: b\ndata\n\n', [{ type: 'message', data: 'a\nb\n' }]],
    [
      'event: ping\ndata: {}\n\ndata: x\n\n',
      [
        { type: 'ping', data: '{}' },
        { type: 'message', data: 'x' },
      ],
    ],
    [': comment\n\ndata:  two spaces\n\n', [{ type: 'message', data: ' two spaces' }]],
    ['\ufeffdata: bom\n\n', [{ type: 'message', data: 'bom' }]],
    ['id: 7\ndata:\n\n', [{ type: 'message', data: '' }]],
    ['data: never finished', []],
    ['event: only\n\n', []],
    ['unknown: field\ndata: a:b:c\n\n', [{ type: 'message', data: 'a:b:c' }]],
  ])('reads %j', (text, events) => {
    expect(parse(text)).toEqual(events);
  });

  it('remembers id and retry', () => {
    const parser = new SseParser();
    parser.push(Buffer.from('id: 12\nretry: 250\ndata\n\nid: a\0b\nretry: soon\n\n'));
    expect(parser).toMatchObject({ lastEventId: '12', retryMs: 250 });
  });

  it('reads the same events however the bytes are cut and whatever ends the lines', () => {
    const line = fc.string({ unit: 'grapheme', maxLength: 20 }).map((text) => text.replace(/[\r\n\0]/g, ''));
    const event = fc.record({
      data: fc.array(line, { minLength: 1, maxLength: 4 }),
      type: fc.option(line.filter((text) => text.trim() !== '' && !text.startsWith(' '))),
    });
    fc.assert(
      fc.property(
        fc.array(event, { maxLength: 6 }),
        fc.array(fc.nat(), { maxLength: 30 }),
        fc.infiniteStream(fc.constantFrom('\n', '\r', '\r\n')),
        (events, cuts, endings) => {
          const ends = endings[Symbol.iterator]();
          let text = '';
          // A lone CR before a line that starts with LF would read as one CRLF, so each event uses one kind of ending.
          for (const { data, type } of events) {
            const end = ends.next().value as string;
            const lines = [...(type === null ? [] : [`event: ${type}`]), ...data.map((each) => `data: ${each}`), ''];
            text += lines.map((each) => each + end).join('');
          }
          expect(parse(text, cuts)).toEqual(
            events.map(({ data, type }) => ({ type: type ?? 'message', data: data.join('\n') })),
          );
        },
      ),
      { numRuns: 500 },
    );
  });

  it('never throws and never depends on the cuts, for any bytes', () => {
    const noise = fc.array(
      fc.constantFrom('data:', 'id:', 'event:', 'retry:', ':', ' ', '\r', '\n', '\r\n', '\0', 'é', '🙂', 'x'),
      { maxLength: 60 },
    );
    fc.assert(
      fc.property(noise, fc.array(fc.nat(), { maxLength: 20 }), (pieces, cuts) => {
        expect(parse(pieces.join(''), cuts)).toEqual(parse(pieces.join('')));
      }),
      { numRuns: 500 },
    );
  });

  it('takes a large event byte by byte in linear time', () => {
    const parser = new SseParser();
    const bytes = Buffer.from(`data: ${'x'.repeat(200_000)}\n\n`);
    const events: SseEvent[] = [];
    for (let i = 0; i < bytes.length; i++) events.push(...parser.push(bytes.subarray(i, i + 1)));
    expect(events[0]?.data).toHaveLength(200_000);
  });
});
