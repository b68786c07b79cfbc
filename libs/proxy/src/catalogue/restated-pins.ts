import { canonicalJson, type JsonValue, Turns } from '@haldir/kernel';
import { fingerprintOf, type ListedDefinition } from './tool-definition.js';
import { type Pin } from './tool-pins.js';
import { repairedTool, UnfitDefinition, type UpstreamTool } from '../mcp-client/index.js';

/** What is kept of a pinned tool. */
export interface PinnedDefinition {
  name: string;
  definition: UpstreamTool;
  pending: UpstreamTool | null;
}

/** Pins and a list in the same terms. */
interface Restated {
  pins: readonly Pin[];
  listed: readonly ListedDefinition[];
  /** Definitions that stand in place of what is kept: they mean the same, and clients can read them. */
  repaired: ListedDefinition[];
}

/** Definitions that are read at once. */
const PART = 100;

/**
 * Earlier versions made fingerprints of definitions as they came, and kept these: what means the same now is no other definition.
 * It goes by the fingerprint of its pin, or the pin by that of the repaired definition where the kept one needs repair. Only
 * pins that seem to differ are read.
 */
export async function restatedPins(
  pins: readonly Pin[],
  listed: readonly ListedDefinition[],
  read: (names: readonly string[]) => Promise<PinnedDefinition[]>,
): Promise<Restated> {
  const byName = new Map(pins.map((pin) => [pin.name, pin]));
  const found = new Map(listed.map((definition) => [definition.tool.name, definition]));
  const others = listed.flatMap(({ tool: { name }, fingerprint }) => {
    const pin = byName.get(name);
    return pin && !pin.fingerprint.equals(fingerprint) ? [name] : [];
  });
  const repaired: ListedDefinition[] = [];
  const turns = new Turns();
  for (let i = 0; i < others.length; i += PART) {
    for (const { name, definition, pending } of await read(others.slice(i, i + PART))) {
      if (turns.isOver) await turns.next();
      const [pin, listing] = [byName.get(name), found.get(name)];
      if (!pin || !listing) continue;
      const accepted = repairedOrNull(definition);
      if (accepted && fingerprintOf(accepted).equals(listing.fingerprint)) {
        if (isAsKept(accepted, definition)) found.set(name, { ...listing, fingerprint: pin.fingerprint });
        else {
          repaired.push({ tool: accepted, fingerprint: listing.fingerprint });
          byName.set(name, { ...pin, fingerprint: listing.fingerprint });
        }
        continue;
      }
      // A proposal that needs repair is announced anew: it can be accepted as it is shown, and no other way.
      const held = pending && repairedOrNull(pending);
      if (pin.pending && held && isAsKept(held, pending) && fingerprintOf(held).equals(listing.fingerprint))
        found.set(name, { ...listing, fingerprint: pin.pending });
    }
  }
  return { pins: [...byName.values()], listed: [...found.values()], repaired };
}

function isAsKept(repaired: UpstreamTool, kept: UpstreamTool): boolean {
  return canonicalJson(repaired as JsonValue) === canonicalJson(kept as JsonValue);
}

/** What is kept as it would be taken today; null for what would not be, and is another definition than any that is. */
export function repairedOrNull(kept: UpstreamTool): UpstreamTool | null {
  try {
    return repairedTool(kept);
  } catch (error) {
    if (error instanceof UnfitDefinition) return null;
    throw error;
  }
}
