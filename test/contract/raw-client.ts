import { type Reply } from '@haldir/test-support';
import { type Dispatcher, Pool } from 'undici';

interface RawRequest {
  method: string;
  /** With its query, and sent as it is: no step up is taken, nothing is encoded. */
  path: string;
  headers: Record<string, string>;
  body?: string;
}

/** Sends requests exactly as they are written, over a bounded number of connections. */
export class RawClient {
  private readonly pool: Pool;

  constructor(url: string, connections: number) {
    this.pool = new Pool(url, { connections });
  }

  async send({ method, path, headers, body }: RawRequest): Promise<Reply<unknown>> {
    const answer = await this.pool.request({
      method,
      path,
      headers,
      ...(body !== undefined && { body }),
    });
    const text = await textOf(answer);
    const fields = Object.entries(answer.headers).flatMap(([name, values]) =>
      [values ?? []].flat().map((value): [string, string] => [name, value]),
    );
    return { status: answer.statusCode, headers: new Headers(fields), body: parsed(text) };
  }

  close(): Promise<void> {
    return this.pool.close();
  }
}

/** Of an answer that goes on without end, what it begins with. */
async function textOf({ headers, body }: Dispatcher.ResponseData): Promise<string> {
  if (!String(headers['content-type']).startsWith('text/event-stream')) return body.text();
  for await (const chunk of body) return Buffer.from(chunk as Uint8Array).toString();
  return '';
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return text;
  }
}
