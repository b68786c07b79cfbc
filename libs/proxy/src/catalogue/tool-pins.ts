import { hash } from 'node:crypto';
import { type ListedDefinition } from './tool-definition.js';

/** What is accepted of a tool, since its upstream was registered. */
export interface Pin {
  name: string;
  /** Of the definition that was accepted. */
  fingerprint: Buffer;
  /** Of the definition that the upstream gives instead, for which the tool is held back; null while it keeps to its word. */
  pending: Buffer | null;
  /** The upstream does not offer it at present. */
  gone: boolean;
}

/** A tool whose upstream defines it otherwise than was accepted. */
export interface Drift extends ListedDefinition {
  accepted: Buffer;
}

/** What a new list means for the pins of a registration. */
export interface PinChanges {
  /** Never seen since the registration: pinned as they come. */
  added: ListedDefinition[];
  /** Names that are offered again. */
  returned: string[];
  /** Names that are no longer offered. */
  removed: string[];
  drifted: Drift[];
  /** Drifts that are over because the upstream went back to what was accepted. */
  settled: { name: string; accepted: Buffer; found: Buffer }[];
}

export function comparePins(pins: readonly Pin[], listed: readonly ListedDefinition[]): PinChanges {
  const known = new Map(pins.map((pin) => [pin.name, pin]));
  const changes: PinChanges = { added: [], returned: [], removed: [], drifted: [], settled: [] };
  const present = new Set<string>();
  for (const definition of listed) {
    const { name } = definition.tool;
    const pin = known.get(name);
    present.add(name);
    if (!pin) {
      changes.added.push(definition);
      continue;
    }
    if (pin.gone) changes.returned.push(name);
    const { fingerprint: accepted, pending } = pin;
    if (definition.fingerprint.equals(accepted)) {
      if (pending) changes.settled.push({ name, accepted, found: pending });
    } else if (!pending?.equals(definition.fingerprint)) changes.drifted.push({ ...definition, accepted });
  }
  for (const { name, gone } of pins) if (!gone && !present.has(name)) changes.removed.push(name);
  return changes;
}

/** The pins once the changes are made. */
export function pinsAfter(pins: readonly Pin[], changes: PinChanges): Pin[] {
  const { added, returned, removed, drifted, settled } = changes;
  const [back, away, over] = [new Set(returned), new Set(removed), new Set(settled.map(({ name }) => name))];
  const pending = new Map(drifted.map(({ tool, fingerprint }) => [tool.name, fingerprint]));
  const kept = pins.map((pin) => {
    const gone = away.has(pin.name) || (pin.gone && !back.has(pin.name));
    const stays = !gone && !over.has(pin.name);
    return { ...pin, gone, pending: stays ? (pending.get(pin.name) ?? pin.pending) : null };
  });
  return [
    ...kept,
    ...added.map(({ tool, fingerprint }) => ({ name: tool.name, fingerprint, pending: null, gone: false })),
  ];
}

/** SHA-256 over what there is of the pins, and what of it can be called; it changes with every change of that. */
export function digestOfPins(pins: readonly Pin[]): Buffer {
  const shown = pins
    .filter(({ gone }) => !gone)
    .map(({ name, fingerprint, pending }) => `${fingerprint.toString('hex')} ${pending ? '-' : '+'} ${name}\n`)
    .sort();
  return hash('sha256', shown.join(''), 'buffer');
}
