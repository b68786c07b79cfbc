import { type Readable } from 'node:stream';

/**
 * Lines as MCP's stdio transport has them: UTF-8, ended by a line feed alone. `node:readline` ends them at U+2028 and U+2029 too, which
 * JSON has in texts. A last line without an end is one.
 *
 * @param signal ends it, with what came so far
 * @param maxChars of one line
 * @throws RangeError when a line is longer
 */
export async function* linesOf(input: Readable, signal: AbortSignal, maxChars = Infinity): AsyncGenerator<string> {
  const decoder = new TextDecoder();
  let begun: string[] = [];
  let length = 0;
  const end = (): void => void input.destroy();
  signal.addEventListener('abort', end, { once: true });
  try {
    for await (const chunk of input as AsyncIterable<Buffer>) {
      const [first = '', ...rest] = decoder.decode(chunk, { stream: true }).split('\n');
      begun.push(first);
      length += first.length;
      for (const part of rest) {
        yield begun.join('');
        begun = [part];
        length = part.length;
      }
      if (length > maxChars) throw new RangeError(`a line has more than ${maxChars} characters`);
    }
  } catch (error) {
    if (!signal.aborted) throw error;
  } finally {
    signal.removeEventListener('abort', end);
  }
  begun.push(decoder.decode());
  const last = begun.join('');
  if (last !== '' && !signal.aborted) yield last;
}
