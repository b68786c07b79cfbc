import { Injectable } from '@nestjs/common';
import { type Actor } from '@haldir/kernel';
import { SecretUses, ToldValues } from '@haldir/vault';
import { SecretNotAllowed, SecretUnusable } from './connectors.errors.js';

/** Secrets that connectors start their servers with. */
@Injectable()
export class ConnectorSecrets {
  constructor(
    private readonly secrets: SecretUses,
    private readonly told: ToldValues,
  ) {}

  /**
   * The values of secrets that the key was given, by name. Each use is in the log, and each value among those that are masked in what
   * the upstream says, before this returns.
   *
   * @throws SecretNotAllowed, SecretUnusable
   */
  async open(actor: Actor, names: readonly string[]): Promise<Record<string, string>> {
    const { tenantId, connector } = actor;
    if (!connector) throw new Error('only connectors ask for secrets');
    const { upstream, secrets: allowed } = connector;
    const others = names.flatMap((name, position) => (allowed.includes(name) ? [] : [position]));
    if (others.length > 0) throw new SecretNotAllowed(others);
    const opened = await this.secrets.openForConnector(actor, upstream, [...new Set(names)]);
    if ('refused' in opened) throw new SecretUnusable(opened.refused.name, opened.refused.reason);
    const values = opened.used.map(({ name, text }) => ({ name, text, kind: 'secret', expiresAt: null }) as const);
    if (!(await this.told.note({ tenantId, upstream }, values)))
      throw new SecretUnusable(names[0] ?? '', 'told_too_much');
    return Object.fromEntries(opened.used.map(({ name, text }) => [name, text]));
  }
}
