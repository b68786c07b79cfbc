import { hash } from 'node:crypto';
import { Injectable } from '@nestjs/common';
import { Egress, EgressFailed, EgressRefused } from '@haldir/egress';
import { HaldirConfig } from '@haldir/runtime';
import webPush from 'web-push';
import { type PushFailure } from './push.errors.js';
import { type PushAddress } from './push-seal.js';
import { VapidKey } from './vapid-key.js';

export const PUSH_DEADLINE_MS = 10_000;
/** How long a push service keeps what it cannot deliver, in seconds: most requests wait for an hour. */
const KEEP_SECONDS = 3600;
/** Nothing of an answer is read. */
const MAX_RESPONSE_BYTES = 4096;
/** RFC 8030, section 7.3; and 410 as the older of push services. */
const GONE = [404, 410];

export interface OutgoingPush {
  text: string;
  /** What comes later under the same replaces what was not delivered yet. */
  topic: string;
  urgent: boolean;
}

/**
 * Hands messages to the push services of browsers (RFC 8030), encrypted for the browser alone (RFC 8291). Their addresses are named by
 * people, so that they are asked by way of egress.
 */
@Injectable()
export class PushTransport {
  constructor(
    private readonly egress: Egress,
    private readonly key: VapidKey,
    private readonly config: HaldirConfig,
  ) {}

  /** Null when it was taken; else why not: a word of its own, whatever the service says. */
  async send({ endpoint, keys }: PushAddress, { text, topic, urgent }: OutgoingPush): Promise<PushFailure | null> {
    let details: ReturnType<typeof webPush.generateRequestDetails>;
    try {
      details = webPush.generateRequestDetails({ endpoint, keys }, text, {
        vapidDetails: { subject: this.subject, ...this.key.pair },
        TTL: KEEP_SECONDS,
        contentEncoding: 'aes128gcm',
        urgency: urgent ? 'high' : 'normal',
        topic: hash('sha256', topic, 'base64url').slice(0, 32),
      });
    } catch {
      // What a browser said of itself cannot be used: no reason to leave the messages of others.
      return 'refused';
    }
    const { body, headers } = details;
    // The length is counted by whoever sends.
    const named = Object.entries(headers).filter(([name]) => name.toLowerCase() !== 'content-length');
    try {
      const { status } = await this.egress.request({
        method: 'POST',
        url: endpoint,
        body: body ?? '',
        deadlineMs: PUSH_DEADLINE_MS,
        headers: Object.fromEntries(named.map(([name, value]) => [name, String(value)])),
        maxResponseBytes: MAX_RESPONSE_BYTES,
        onOverflow: 'truncate',
      });
      if (status >= 200 && status <= 299) return null;
      if (GONE.includes(status)) return 'gone';
      return status === 429 || status >= 500 ? 'deferred' : 'refused';
    } catch (error) {
      if (error instanceof EgressRefused) return 'refused';
      if (error instanceof EgressFailed) return 'deferred';
      throw error;
    }
  }

  /** Whom a push service may write to about what is sent (RFC 8292, section 2.1). */
  private get subject(): string {
    const { publicUrl, mail } = this.config;
    if (publicUrl?.startsWith('https:')) return publicUrl;
    return `mailto:${mail?.from ?? 'haldir@haldir.invalid'}`;
  }
}
