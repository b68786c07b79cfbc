import 'reflect-metadata';
import { parseArgs, type ParseArgsConfig } from 'node:util';
import {
  countSealed,
  EVERY_TENANT_SCOPE,
  type KeyStatus,
  readKeyStatus,
  RootKeyRotation,
  TenantKeyRotation,
} from '@haldir/crypto';
import { haldirActor } from '@haldir/kernel';
import { type Command, UsageError } from '../command.js';
import { KeysRepository } from '../keys.repository.js';
import { asOwner, rotating, RotationUnderWay, SEALED_COLUMNS } from '../keys-session.js';
import { Progress } from '../progress.js';

/** EX_TEMPFAIL of sysexits.h. */
const EXIT_BUSY = 75;

const SETTINGS = `Settings
  DATABASE_OWNER_URL          the role that owns the schema; default: DATABASE_URL
  HALDIR_ROOT_KEYS(_FILE)     as API and worker have them; the first one is active
`;
const EXITS = `Exit codes
  0   done
  1   something does not open and was left as it is; each is named
  75  another rotation is under way
  78  a setting is wrong, or a root key is missing or another one
`;

export const keysStatusCommand: Command = {
  help: `Usage: haldir keys status [--json]

Tells which root keys are needed, how many tenant keys there are, and what a rotation has left to do. Opens nothing and needs no
root key.

  --json  print it as one line of JSON

Settings
  DATABASE_OWNER_URL  the role that owns the schema; default: DATABASE_URL
`,
  async run(args, env) {
    const { json } = parse(args, { json: { type: 'boolean', default: false } });
    const status = await asOwner(env, (transactions) => readKeyStatus(transactions, SEALED_COLUMNS));
    process.stdout.write(json === true ? `${JSON.stringify(toJson(status))}\n` : describe(status));
    return 0;
  },
};

export const keysRotateRootCommand: Command = {
  help: `Usage: haldir keys rotate-root

Wraps every key in the database under the active root key, the first of HALDIR_ROOT_KEYS. API and worker go on meanwhile. Run
again after it was interrupted it goes on; run twice it finds nothing to do.

To change the root key
  1. Put the new key first and keep the old one: HALDIR_ROOT_KEYS=2:<new>,1:<old>. Restart API and worker with it, all of them.
  2. haldir keys rotate-root
  3. haldir keys status: once nothing needs the old key, take it out of HALDIR_ROOT_KEYS. Keep it with the backups it opens.

${SETTINGS}
${EXITS}`,
  run(args, env) {
    parse(args, {});
    return whileFree(() =>
      rotating(env, async ({ transactions, rootKeys }) => {
        const { rootKeys: before } = await readKeyStatus(transactions, []);
        const outstanding = before
          .filter(({ id }) => id !== rootKeys.activeId)
          .reduce((sum, { keys }) => sum + keys, 0);
        const progress = new Progress(outstanding, 'keys');
        const report = await new RootKeyRotation(transactions, rootKeys, (keys) => progress.show(keys))
          .run()
          .finally(() => progress.end());
        process.stdout.write(`Wrapped ${report.keys} keys under root key ${rootKeys.activeId}.\n`);
        const others = report.inUse.filter((id) => id !== rootKeys.activeId);
        process.stdout.write(
          others.length === 0
            ? 'No other root key is needed any more.\n'
            : `Still needed: root keys ${others.join(', ')}.\n`,
        );
        return nameBroken(report.broken);
      }),
    );
  },
};

export const keysRotateTenantCommand: Command = {
  help: `Usage: haldir keys rotate-tenant [--tenant ID]

Gives every tenant, or one, a new key, and seals what is under the old one anew: data keys of secrets, secrets of webhooks, keys of
logs. The values of secrets stay as they are. API and worker go on meanwhile, and need not be told. An old key that nothing is
under any more is destroyed.

A run that was interrupted, by kill -9 too, is gone on with by the next one; a run after one that has ended is a rotation of its own.

  --tenant ID  one tenant only

${SETTINGS}
${EXITS}`,
  run(args, env) {
    const { tenant } = parse(args, { tenant: { type: 'string' } });
    if (tenant === '' || tenant === EVERY_TENANT_SCOPE) throw new UsageError('--tenant should be the id of a tenant');
    const scope = typeof tenant === 'string' ? tenant : EVERY_TENANT_SCOPE;
    return whileFree(() =>
      rotating(env, async ({ transactions, rootKeys, auditLog }) => {
        if (scope !== EVERY_TENANT_SCOPE) {
          if (!(await new KeysRepository(transactions).hasTenant(scope)))
            throw new UsageError(`there is no tenant ${scope}`);
        }
        const progress = new Progress(await countSealed(transactions, SEALED_COLUMNS, scope), 'values');
        const rotation = new TenantKeyRotation(transactions, rootKeys, SEALED_COLUMNS, {
          record: (tx, tenantId, version) =>
            void auditLog.record(tx, haldirActor(tenantId), {
              source: 'haldir',
              tool: 'haldir.keys',
              action: 'tenant_key_rotated',
              details: { version },
            }),
          onProgress: (values) => progress.show(values),
        });
        const report = await rotation.run(scope).finally(() => progress.end());
        const what = `${report.tenants} tenants, ${report.values} values sealed anew`;
        process.stdout.write(`${report.resumed ? 'Finished what was begun before' : 'Rotated'}: ${what}.\n`);
        return nameBroken(report.broken);
      }),
    );
  },
};

async function whileFree(work: () => Promise<number>): Promise<number> {
  try {
    return await work();
  } catch (error) {
    if (!(error instanceof RotationUnderWay)) throw error;
    process.stderr.write(`haldir: ${error.message}\n`);
    return EXIT_BUSY;
  }
}

function nameBroken(broken: readonly string[]): number {
  for (const what of broken) process.stderr.write(`haldir: does not open, left as it is: ${what}\n`);
  return broken.length === 0 ? 0 : 1;
}

function parse(args: string[], options: NonNullable<ParseArgsConfig['options']>): Record<string, unknown> {
  try {
    return parseArgs({ args, options }).values;
  } catch (error) {
    throw new UsageError((error as Error).message);
  }
}

function describe({ rootKeys, tenantKeys, valuesToMove, unfinished }: KeyStatus): string {
  const lines = [
    ...rootKeys.map(({ id, keys }) => `root key ${id}: needed by ${keys} keys`),
    `tenant keys: ${tenantKeys.active} active, ${tenantKeys.decrypt_only} that only open, ${tenantKeys.retired} retired`,
    `values to be sealed anew: ${valuesToMove}`,
    ...unfinished.map(
      ({ scope, startedAt }) =>
        `a rotation of ${scope === EVERY_TENANT_SCOPE ? 'every tenant' : scope}, begun ${startedAt.toISOString()}, is not finished`,
    ),
  ];
  return `${lines.join('\n')}\n`;
}

function toJson({ rootKeys, tenantKeys, valuesToMove, unfinished }: KeyStatus): Record<string, unknown> {
  return {
    root_keys: rootKeys,
    tenant_keys: tenantKeys,
    values_to_move: valuesToMove,
    unfinished: unfinished.map(({ scope, startedAt }) => ({ scope, started_at: startedAt.toISOString() })),
  };
}
