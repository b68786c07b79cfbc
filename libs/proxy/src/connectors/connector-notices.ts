import { hash } from 'node:crypto';
import { Injectable } from '@nestjs/common';
import { noticeParts, Notices } from '@haldir/database';

/** Heard by who has claims that wait. */
const ASKED = 'haldir_connector_asked';
/** Heard by who waits for answers. */
const ANSWERED = 'haldir_connector_answered';

/** A text for whoever listens, as a statement sends it. */
export interface Notice {
  channel: string;
  parts: string[];
}

/** What is to be fetched by connectors of an upstream: of one instance, or ('') of whichever comes first. */
export type Asked = [upstream: string, instance: string];

/** Exchanges with something to be read; or an upstream that a connector has left. */
interface AnswerNotice {
  exchanges?: string[];
  left?: string;
}

/**
 * What processes tell each other about connectors: that there is something, and never what. Upstreams go by a digest, which
 * says nothing to other roles of the database. A notice that is lost costs up to the next look.
 */
@Injectable()
export class ConnectorNotices {
  private asked: Promise<void> | null = null;
  private answered: Promise<void> | null = null;

  constructor(private readonly notices: Notices) {}

  /** Names an upstream here. */
  static keyOf(tenantId: string, upstream: string): string {
    return hash('sha256', `${tenantId}/${upstream}`, 'base64url').slice(0, 22);
  }

  static ofAsked(asked: readonly Asked[]): Notice {
    return { channel: ASKED, parts: noticeParts(JSON.stringify(asked)) };
  }

  static ofAnswered(answered: AnswerNotice): Notice {
    return { channel: ANSWERED, parts: noticeParts(JSON.stringify(answered)) };
  }

  /** Resolves once it listens, or could not at first. One hearer. */
  hearAsked(hear: (asked: Asked) => void): Promise<void> {
    return (this.asked ??= this.notices.listen(ASKED, (text) => {
      for (const one of JSON.parse(text) as Asked[]) hear(one);
    }));
  }

  /** The same of answers. */
  hearAnswered(hear: (answered: AnswerNotice) => void): Promise<void> {
    return (this.answered ??= this.notices.listen(ANSWERED, (text) => hear(JSON.parse(text) as AnswerNotice)));
  }
}
