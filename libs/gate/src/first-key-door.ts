import { Injectable } from '@nestjs/common';
import { Clock } from '@haldir/kernel';
import { type Tx } from '@haldir/database';
import { ANONYMOUS_REPLAY_MS, Unauthenticated } from '@haldir/http';
import { HaldirConfig } from '@haldir/runtime';
import { TenantRepository } from './tenant.repository.js';

/** Stands open for the first key of all, until somebody has it or has signed in, and never again. */
@Injectable()
export class FirstKeyDoor {
  /** When this process learned that it is shut. */
  private shutSince: number | null = null;

  constructor(
    private readonly tenants: TenantRepository,
    private readonly config: HaldirConfig,
    private readonly clock: Clock,
  ) {}

  /**
   * Refuses, without asking the database, whom it cannot be open for.
   *
   * @param isRetry whether it may be the retry of the request that got the key: for as long as that is answered again, the
   * database is asked
   * @throws Unauthenticated
   */
  check(isRetry: boolean): void {
    if (this.config.bootstrap.required) {
      throw new Unauthenticated('A bootstrap_token is required to create the first key');
    }
    if (this.shutSince === null) return;
    if (!isRetry || this.clock.now().getTime() - this.shutSince > ANONYMOUS_REPLAY_MS) throw new Unauthenticated();
  }

  /**
   * Goes through, holding it against others until the transaction ends; afterwards it is shut.
   *
   * @throws Unauthenticated when somebody went through before
   */
  async pass(tx: Tx): Promise<void> {
    if (await this.tenants.in(tx).operatorExists()) {
      this.remember();
      throw new Unauthenticated();
    }
    tx.onCommit(() => this.remember());
  }

  private remember(): void {
    this.shutSince ??= this.clock.now().getTime();
  }
}
