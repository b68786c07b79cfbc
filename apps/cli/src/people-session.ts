import { AuditLog, AuditLogRepository } from '@haldir/audit-log';
import { GrantSeal, KEY_ENTITIES, KeyRing, RootKeys } from '@haldir/crypto';
import { type Transactions } from '@haldir/database';
import { Tenant, TenantRepository, Tenants } from '@haldir/gate';
import { OwnPages } from '@haldir/http';
import { SystemClock } from '@haldir/kernel';
import {
  InvitationRepository,
  OidcIdentityRepository,
  PasskeyRepository,
  PEOPLE_ENTITIES,
  PeopleRepository,
  PeopleService,
  SignInRepository,
} from '@haldir/people';
import { createLogger, HaldirConfig } from '@haldir/runtime';
import { UsageError } from './command.js';
import { KeysRepository } from './keys.repository.js';
import { asOwner, type Env, ownerUrl } from './keys-session.js';

export interface PeopleSession {
  people: PeopleService;
  transactions: Transactions;
  tenantId: string;
}

/**
 * Runs `work` on the people of a tenant, with the root keys of the settings.
 *
 * @param tenant null for the operator's, which is made when it is first needed
 * @throws ConfigError for a setting, role or root key that is wrong; UsageError when there is no such tenant
 */
export function withPeople<T>(
  env: Env,
  tenant: string | null,
  work: (session: PeopleSession) => Promise<T>,
): Promise<T> {
  const config = new HaldirConfig({ ...env, DATABASE_URL: ownerUrl(env), DATABASE_PASSWORD: '' });
  return asOwner(
    env,
    async (transactions) => {
      const clock = new SystemClock();
      const keyRing = new KeyRing(new RootKeys(config), transactions, config, clock);
      await keyRing.load();
      const auditLog = new AuditLog(new AuditLogRepository(transactions), clock);
      const tenants = new Tenants(new TenantRepository(), keyRing, auditLog, clock);
      const tenantId = tenant ?? (await operatorsTenant(transactions, tenants));
      if (tenant !== null && !(await new KeysRepository(transactions).hasTenant(tenant)))
        throw new UsageError(`there is no tenant ${tenant}`);
      const people = new PeopleService(
        new PeopleRepository(transactions),
        new InvitationRepository(transactions),
        new SignInRepository(transactions),
        new PasskeyRepository(transactions),
        new OidcIdentityRepository(transactions),
        tenants,
        new GrantSeal(keyRing, createLogger(config.logLevel)),
        auditLog,
        new OwnPages(config),
        clock,
      );
      return work({ people, transactions, tenantId });
    },
    [...KEY_ENTITIES, ...PEOPLE_ENTITIES, Tenant],
  );
}

function operatorsTenant(transactions: Transactions, tenants: Tenants): Promise<string> {
  return transactions.run([], async (tx) => {
    await tenants.hold(tx);
    return (await tenants.operators(tx)).tenantId;
  });
}
