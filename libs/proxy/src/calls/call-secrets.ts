import { Injectable } from '@nestjs/common';
import { type Session } from '@haldir/gate';
import { headerValue, isObject } from '@haldir/mcp';
import { SecretUses, TOLD_TOO_MUCH, type UsedSecret, type UseRefusal } from '@haldir/vault';
import { type NewCall } from './tool-call.js';
import { type ToolTarget } from '../catalogue/tool-target.repository.js';
import { Masker } from '../masking/masker.js';
import { type SecretRefusal } from './secret-refusal.js';
import { UpstreamMasks } from '../upstreams/upstream-masks.js';
import { mentionsSecrets, referencesIn, withReferences, type Arguments } from '../masking/secret-references.js';

/** The arguments with values in place of references, and what takes the values out of the answer. */
export interface Filled {
  arguments: Record<string, unknown>;
  /** Null when no secret was filled in. */
  masker: Masker | null;
}

const MAX_SECRETS = 16;
/** What values may add to a call, with each of their places. */
const MAX_CHARACTERS = 1_024 * 1_024;

const REFUSED_BECAUSE = {
  // What an agent could find out by trying names is not said.
  unknown: 'is not one that may be used with this tool',
  unbound: 'is not one that may be used with this tool',
  does_not_open: 'is not one that may be used with this tool',
  missing_scope: 'requires a scope that the session does not hold',
  expired: 'has expired; it has to be stored again',
  too_short: 'is too short to be used by reference: expected at least 8 characters',
  too_long: 'is too long to be used by reference: expected at most 8,192 characters',
} as const satisfies Record<UseRefusal['reason'], string>;

/** References to secrets in the arguments of calls: what agents use without seeing it. */
@Injectable()
export class CallSecrets {
  constructor(
    private readonly secrets: SecretUses,
    private readonly masks: UpstreamMasks,
  ) {}

  /** Whether the call may be made with what it refers to, as far as can be told without opening it; null when it may. */
  async check(call: NewCall, session: Session, target: ToolTarget): Promise<SecretRefusal | null> {
    if (!mentionsSecrets(call.arguments)) return null;
    const references = referencesIn(call.arguments);
    if ('malformed' in references) return malformed(references.malformed);
    if (references.names.length > MAX_SECRETS) return tooMuch(`at most ${MAX_SECRETS} secrets in one call`);
    const refused = await this.secrets.check(useOf(call, session, target), references.names);
    return refused ? toRefusal(refused) : null;
  }

  /**
   * The arguments as they are sent, decided anew. Each secret's use is durable in the audit log before this returns, and that the
   * upstream is told the value is noted for all that it says from now on.
   *
   * @param call for which `check` found nothing
   * @throws Unavailable when a use cannot be recorded, or the key of a secret is not there
   * @throws UpstreamUnreachable when what the upstream was told before does not open
   */
  async fill(call: NewCall, session: Session, target: ToolTarget): Promise<Filled | { refused: SecretRefusal }> {
    const { arguments: args } = call;
    if (!mentionsSecrets(args)) return { arguments: args, masker: null };
    const references = referencesIn(args);
    if ('malformed' in references) return { refused: malformed(references.malformed) };
    if (references.names.length === 0) return { arguments: withReferences(args, String), masker: null };
    const opened = await this.secrets.open(useOf(call, session, target), references.names);
    if ('refused' in opened) return { refused: toRefusal(opened.refused) };
    const sent = await filled(args, target, opened.used);
    if ('refused' in sent) return sent;
    const told = opened.used.map(({ name, text }) => ({ name, text, kind: 'secret', expiresAt: null }) as const);
    if (await this.masks.note(target, told)) return sent;
    const message = `The upstream ${JSON.stringify(target.name)} ${TOLD_TOO_MUCH}`;
    return { refused: { code: 'secret_not_usable', message, facts: { upstream: target.name } } };
  }
}

async function filled(
  args: Arguments,
  target: ToolTarget,
  used: readonly UsedSecret[],
): Promise<Filled | { refused: SecretRefusal }> {
  const values = new Map(used.map(({ name, text }) => [name, text]));
  let characters = 0;
  withReferences(args, (name) => {
    characters += values.get(name)?.length ?? 0;
    return '';
  });
  if (characters > MAX_CHARACTERS) return { refused: tooMuch('at most 1 MiB of values in one call') };
  const sent = withReferences(args, (name) => values.get(name) ?? '');
  const unsafe = target.mirrored.find(({ path }) => {
    const [before, after] = [textAt(args, path), textAt(sent, path)];
    return before !== after && after !== null && headerValue(after) !== after;
  });
  if (unsafe) {
    const place = `arguments.${unsafe.path.join('.')}`;
    const message = `${place}: the tool repeats it as a header, which cannot hold the value of this secret`;
    return { refused: { code: 'secret_not_usable', message, facts: { argument: place } } };
  }
  return { arguments: sent, masker: await Masker.of(used) };
}

function textAt(args: Arguments, path: readonly string[]): string | null {
  let value: unknown = args;
  for (const key of path) value = isObject(value) && Object.hasOwn(value, key) ? value[key] : undefined;
  return typeof value === 'string' ? value : null;
}

function useOf({ actor }: NewCall, session: Session, { name, tool }: ToolTarget) {
  return { actor, session, upstream: name, tool };
}

function malformed(place: string): SecretRefusal {
  const message = `${place}: expected {{vault:name}} with the name of a secret, or {{!vault: for {{vault: as a text`;
  return { code: 'malformed_reference', message, facts: { argument: place } };
}

function tooMuch(limit: string): SecretRefusal {
  return { code: 'secret_not_usable', message: `A call uses ${limit}`, facts: {} };
}

function toRefusal({ name, reason, scopeRequired }: UseRefusal): SecretRefusal {
  return {
    code: 'secret_not_usable',
    message: `The secret ${JSON.stringify(name)} ${REFUSED_BECAUSE[reason]}`,
    facts: { secret: name, secret_reason: reason, ...(scopeRequired === undefined ? {} : { required: scopeRequired }) },
  };
}
