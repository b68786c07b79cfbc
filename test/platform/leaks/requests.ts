import { type Client, textOf } from '@haldir/test-support';
import { type Canary, Canaries, Secrets } from './canaries.js';
import { type Push } from './pushes.js';
import { randomText } from './traces.js';

export interface Answer {
  canary: Canary | null;
  operation: string;
  status: number;
  /** Headers and body. */
  written: string;
}

/** What was asked, what it carried, and everything that was answered. */
export class Requests {
  readonly canaries = new Canaries();
  readonly secrets = new Secrets();
  readonly answers: Answer[] = [];

  async ask(by: Client, operation: string, push: Omit<Push, 'canary'>, canary: Canary | null): Promise<Answer> {
    const response = await fetch(by.url + push.path, {
      method: push.method,
      headers: { authorization: `Bearer ${by.key}`, ...push.headers },
      redirect: 'manual',
      ...(push.body === undefined ? {} : { body: push.body }),
    });
    const written = `${JSON.stringify([...response.headers])}\n${await textOf(response)}`;
    if (canary) canary.status = response.status;
    const answer = { canary, operation, status: response.status, written };
    this.answers.push(answer);
    return answer;
  }

  /** Asks twice with one Idempotency-Key, so that the answer is kept for a retry, too. */
  async askFor<Body>(by: Client, operation: string, path: string, body: object): Promise<Body> {
    const headers = { 'content-type': 'application/json', 'idempotency-key': randomText(20) };
    const push = { method: 'POST', path, body: JSON.stringify(body), headers };
    await this.ask(by, operation, push, null);
    const { status, written } = await this.ask(by, operation, push, null);
    if (status > 299) throw new Error(`${operation}: ${status}`);
    return JSON.parse(written.slice(written.indexOf('\n'))) as Body;
  }
}
