import { Injectable, type OnModuleInit } from '@nestjs/common';
import { ConfigError, HaldirConfig } from '@haldir/runtime';
import { PasskeyRepository } from './passkey.repository.js';
import { PasskeysNeedName, PasskeysOfAnotherSite } from './people.errors.js';

/** The name of the site that passkeys are made for. Passkeys of another one work here no more. */
@Injectable()
export class RelyingParty implements OnModuleInit {
  constructor(
    private readonly config: HaldirConfig,
    private readonly passkeys: PasskeyRepository,
  ) {}

  /** The RP ID: a host name, without port. @throws PasskeysNeedName where people reach Haldir by an IP address */
  get id(): string {
    const { id } = this.config.relyingParty;
    if (id === null) throw new PasskeysNeedName();
    return id;
  }

  /** Nobody is shut out by a changed address without somebody having said so. @throws ConfigError */
  async onModuleInit(): Promise<void> {
    const { id, host } = this.config.relyingParty;
    const other = this.otherOf(await this.passkeys.rpIds());
    if (other === undefined) return;
    throw new ConfigError(
      `people have passkeys for ${other}, which do not work at ${id ?? 'an IP address'}; correct HALDIR_PUBLIC_URL, or name in HALDIR_RP_ID what passkeys are for from now on, for example HALDIR_RP_ID=${host}`,
    );
  }

  /**
   * Nor by a process that runs still while the address is changed: the next one would not start.
   *
   * @param had the sites that there are passkeys for
   * @throws PasskeysOfAnotherSite
   */
  refuseOther(had: string[]): void {
    if (this.otherOf(had) !== undefined) throw new PasskeysOfAnotherSite();
  }

  private otherOf(had: string[]): string | undefined {
    const { id, isNamed } = this.config.relyingParty;
    return isNamed ? undefined : had.find((each) => each !== id);
  }
}
