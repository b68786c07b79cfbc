import { allForms, plainForms, ruleForms } from '@haldir/kernel';
import { type ModelNames, modelNamesOf } from './model-names.js';

/** By which names policies may mean what is called or read. */
export interface NamedSubject {
  /** By every one of these, where they refuse or hold it: bare and `upstream.tool`, and of an address all its forms. */
  toolNames: readonly string[];
  /** As models call it, where they refuse or hold it; patterns mean it by the first alone, the others end in hashes. */
  modelNames?: readonly string[];
  /** By these alone, where they allow it. */
  allowedNames: readonly string[];
  /** Whether its own name is an address, which can be written in many ways. */
  isAddress?: boolean;
}

/** What a tool or a prompt is called. */
export function namesOf(
  upstream: string,
  own: string,
  goesByOwnName: boolean,
  { modelName, hashedName }: ModelNames = modelNamesOf(upstream, own),
): NamedSubject {
  const qualified = `${upstream}.${own}`;
  const allowedNames = goesByOwnName ? [own, qualified] : [qualified];
  return { toolNames: [own, qualified], modelNames: [modelName, hashedName], allowedNames };
}

/** What an address is called; `upstream` is null while it is not known whose it is. */
export function namesOfAddress(upstream: string | null, address: string): NamedSubject {
  const both = (forms: readonly string[]): string[] =>
    upstream === null ? [...forms] : [...forms, ...forms.map((form) => `${upstream}.${form}`)];
  return { toolNames: both(allForms(address)), allowedNames: both(plainForms(address)), isAddress: true };
}

/** All by which something that refuses or holds may mean it. */
export function refusingNames({ toolNames, modelNames = [] }: NamedSubject): readonly string[] {
  return [...toolNames, ...modelNames];
}

/** Whether a name of a list that refuses or holds means it. */
export function isMeantBy(name: string, named: NamedSubject): boolean {
  const { toolNames, isAddress = false } = named;
  return refusingNames(named).includes(name) || (isAddress && ruleForms(name).some((form) => toolNames.includes(form)));
}

/** Whether a list that allows has it. */
export function isAllowedBy(names: readonly string[], { allowedNames, isAddress = false }: NamedSubject): boolean {
  if (names.some((name) => allowedNames.includes(name))) return true;
  return (
    isAddress &&
    names.some((name) => name.includes(':') && plainForms(name).some((form) => allowedNames.includes(form)))
  );
}

/** Whether a pattern of a scope has it. */
export function isCoveredBy(
  pattern: string,
  { toolNames, modelNames = [], isAddress = false }: Omit<NamedSubject, 'allowedNames'>,
  matches: (pattern: string, text: string) => boolean,
): boolean {
  if (toolNames.some((name) => matches(pattern, name)) || modelNames.includes(pattern)) return true;
  const [modelName] = modelNames;
  // One that says where the upstream ends; others mean a tool by its own names.
  if (modelName !== undefined && pattern.includes('__') && matches(pattern, modelName)) return true;
  return (
    isAddress && ruleForms(pattern).some((form) => form !== pattern && toolNames.some((name) => matches(form, name)))
  );
}
