import { MessageNotTaken } from './message.errors.js';

/** Why an e-mail was not taken; a closed set, fit for a column and a log. */
export type MailFailure = 'connect' | 'tls' | 'timeout' | 'auth' | 'deferred' | 'refused' | 'protocol';

/** A server did not take an e-mail. Says nothing of what the server said, nor of who was to have it. */
export class MailNotTaken extends MessageNotTaken {
  constructor(readonly reason: MailFailure) {
    super(`The e-mail was not taken: ${reason}`);
  }

  /** Whether the server has said that it never will. */
  get isFinal(): boolean {
    return this.reason === 'refused';
  }

  /** Whether others would fare no better right now. */
  get isOfServer(): boolean {
    return !['deferred', 'refused'].includes(this.reason);
  }
}
