import { type AppProcess } from './processes.js';

/** An answer of the API, its body parsed. */
export interface Reply<Body = Record<string, unknown>> {
  status: number;
  headers: Headers;
  body: Body;
}

/** A program that calls the API with one key, over any of its processes. */
export class Client {
  constructor(
    readonly url: string,
    readonly key: string | null,
  ) {}

  /** The same key at another process. */
  at(app: AppProcess): Client {
    return new Client(app.url, this.key);
  }

  get<Body = Record<string, unknown>>(path: string, headers?: Record<string, string>): Promise<Reply<Body>> {
    return this.send<Body>('GET', path, undefined, headers);
  }

  post<Body = Record<string, unknown>>(
    path: string,
    body?: unknown,
    headers?: Record<string, string>,
  ): Promise<Reply<Body>> {
    return this.send<Body>('POST', path, body, headers);
  }

  patch<Body = Record<string, unknown>>(path: string, body?: unknown): Promise<Reply<Body>> {
    return this.send<Body>('PATCH', path, body);
  }

  put<Body = Record<string, unknown>>(path: string, body?: unknown): Promise<Reply<Body>> {
    return this.send<Body>('PUT', path, body);
  }

  delete<Body = Record<string, unknown>>(path: string, headers?: Record<string, string>): Promise<Reply<Body>> {
    return this.send<Body>('DELETE', path, undefined, headers);
  }

  async send<Body = Record<string, unknown>>(
    method: string,
    path: string,
    body?: unknown,
    headers: Record<string, string> = {},
    signal?: AbortSignal,
  ): Promise<Reply<Body>> {
    const response = await fetch(this.url + path, {
      method,
      ...(signal ? { signal } : {}),
      headers: {
        ...(this.key === null ? {} : { authorization: `Bearer ${this.key}` }),
        ...(body === undefined ? {} : { 'content-type': 'application/json' }),
        ...headers,
      },
      ...(body === undefined ? {} : { body: typeof body === 'string' ? body : JSON.stringify(body) }),
    });
    const text = await textOf(response);
    let parsed: unknown;
    try {
      parsed = JSON.parse(text);
    } catch {
      parsed = text;
    }
    return { status: response.status, headers: response.headers, body: parsed as Body };
  }

  /** Opens a session and answers its id. */
  async session(session: Record<string, unknown> = {}): Promise<string> {
    const { status, body } = await this.post<{ session_id: string }>('/v1/sessions', { agent_id: 'agent', ...session });
    if (status !== 201) throw new Error(`no session: ${status}`);
    return body.session_id;
  }
}

/** Of an answer that goes on without end, what it begins with. */
export async function textOf(response: Response): Promise<string> {
  if (!response.headers.get('content-type')?.startsWith('text/event-stream')) return response.text();
  const reader = response.body?.getReader();
  const { value } = (await reader?.read()) ?? {};
  await reader?.cancel();
  return Buffer.from(value ?? []).toString();
}
