import 'reflect-metadata';
import { parseArgs, type ParseArgsConfig } from 'node:util';
import { HaldirError, haldirActor } from '@haldir/kernel';
import { normalEmail, type Role, ROLES } from '@haldir/people';
import { type Command, UsageError } from '../command.js';
import { type PeopleSession, withPeople } from '../people-session.js';

const PAGE = 500;

const SETTINGS = `Settings
  DATABASE_OWNER_URL       the role that owns the schema; default: DATABASE_URL
  HALDIR_ROOT_KEYS(_FILE)  as API and worker have them
`;
const TENANT = '  --tenant ID  of another tenant than the operator’s\n';

export const peopleInviteCommand: Command = {
  help: `Usage: haldir people invite --role ROLE [--name NAME] [--tenant ID] EMAIL
       haldir people invite --first [--before-first-key]

Makes somebody a person of the tenant and prints a link that signs them in once, within 24 hours. For one who is there already,
another link: for who has lost what they sign in with. Nothing is sent to the address.

  --role ROLE  one of ${ROLES.join(', ')}
  --name NAME  as they are to be called
  --first      a link for the first owner, who says who they are when they come; prints nothing once anybody has signed in
  --before-first-key  of --first: prints nothing either once the first key was made
${TENANT}
${SETTINGS}  HALDIR_PUBLIC_URL        the address that people sign in at; default: http://localhost and PORT
`,
  async run(args, env) {
    const { values, positionals } = parse(args, {
      role: { type: 'string' },
      name: { type: 'string', default: '' },
      tenant: { type: 'string' },
      first: { type: 'boolean', default: false },
      'before-first-key': { type: 'boolean', default: false },
    });
    const beforeKey = values['before-first-key'] === true;
    if (beforeKey && values['first'] !== true) throw new UsageError('--before-first-key goes with --first');
    if (values['first'] === true) {
      if (positionals.length > 0 || values['role'] !== undefined)
        throw new UsageError('--first takes no role and no e-mail');
      return withPeople(env, tenantIn(values), async ({ people, transactions, tenantId }) => {
        const link = await transactions.run(tenantId, (tx) => people.inviteFirst(tx, operatorOf(tenantId), beforeKey));
        if (link) process.stdout.write(`${link.url}\n`);
        return 0;
      });
    }
    const role = ROLES.find((each) => each === values['role']);
    if (role === undefined) throw new UsageError(`--role should be one of ${ROLES.join(', ')}`);
    const email = emailIn(positionals);
    return withPeople(env, tenantIn(values), (session) => invite(session, email, role, String(values['name'])));
  },
};

export const peopleListCommand: Command = {
  help: `Usage: haldir people list [--tenant ID]

Prints the people of the tenant, a line each: id, role, active or invited, e-mail, name.

${TENANT}
${SETTINGS}`,
  run(args, env) {
    const { values, positionals } = parse(args, { tenant: { type: 'string' } });
    if (positionals.length > 0) throw new UsageError(`it takes no arguments, and was given ${positionals.join(' ')}`);
    return withPeople(env, tenantIn(values), async (session) => {
      for await (const { person, membership } of everybody(session)) {
        const status = membership.signedInAt === null ? 'invited' : 'active';
        process.stdout.write(
          `${[person.id, membership.role.padEnd(8), status.padEnd(7), person.email, person.name].join('  ').trimEnd()}\n`,
        );
      }
      return 0;
    });
  },
};

export const peopleRemoveCommand: Command = {
  help: `Usage: haldir people remove [--tenant ID] EMAIL

Ends everything of somebody's: every sign-in, link and passkey, at once. The last owner cannot be removed.

${TENANT}
${SETTINGS}`,
  run(args, env) {
    const { values, positionals } = parse(args, { tenant: { type: 'string' } });
    const email = emailIn(positionals);
    return withPeople(env, tenantIn(values), async (session) => {
      const { people, transactions, tenantId } = session;
      for await (const { person } of everybody(session)) {
        if (person.email !== email) continue;
        return told(async () => {
          const by = { actor: operatorOf(tenantId), scopes: ['*'] };
          await transactions.run(tenantId, (tx) => people.remove(tx, by, person.id));
          process.stdout.write(`Removed ${person.id}.\n`);
        });
      }
      process.stderr.write('haldir: there is no such person\n');
      return 1;
    });
  },
};

function invite(
  { people, transactions, tenantId }: PeopleSession,
  email: string,
  role: Role,
  name: string,
): Promise<number> {
  return told(async () => {
    const by = { actor: operatorOf(tenantId), scopes: ['*'] };
    const { link } = await transactions.run(tenantId, (tx) => people.invite(tx, by, { email, role, name }));
    process.stdout.write(`${link.url}\n`);
    process.stderr.write('It signs in once, within 24 hours. Give it to nobody else.\n');
  });
}

async function* everybody({ people, tenantId }: PeopleSession) {
  for (let after: string | null = null; ;) {
    const page: Awaited<ReturnType<typeof people.list>> = await people.list(tenantId, PAGE, after);
    yield* page;
    after = page.at(-1)?.person.id ?? null;
    if (page.length < PAGE) return;
  }
}

/** What is refused is said, and no fault of the program. */
async function told(work: () => Promise<void>): Promise<number> {
  try {
    await work();
    return 0;
  } catch (error) {
    if (!(error instanceof HaldirError)) throw error;
    process.stderr.write(`haldir: ${error.message}\n`);
    return 1;
  }
}

const operatorOf = (tenantId: string) => haldirActor(tenantId, 'haldir.people');

function tenantIn({ tenant }: Record<string, unknown>): string | null {
  return typeof tenant === 'string' ? tenant : null;
}

function emailIn(positionals: string[]): string {
  const email = positionals.length === 1 ? normalEmail(positionals[0] ?? '') : null;
  if (email === null) throw new UsageError('it takes one e-mail address, such as alice@example.com');
  return email;
}

function parse(args: string[], options: NonNullable<ParseArgsConfig['options']>) {
  try {
    return parseArgs({ args, options, allowPositionals: true });
  } catch (error) {
    throw new UsageError((error as Error).message);
  }
}
