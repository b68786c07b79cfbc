import { stringifyJson, Turns, visibleText } from '@haldir/kernel';
import { type JsonObject } from '@haldir/mcp';
import { isMisleading } from './tool-screening.js';
import {
  RESOURCE_LISTS,
  type RefusedDefinition,
  type RefusedResources,
  type ResourceKind,
  type ResourceLists,
} from '../mcp-client/index.js';

const HIDES = 'it has characters that turn text around or do not show, or is too long';

/** What an upstream has besides tools, and what it offers of that and nobody can use. */
export interface FoundResources {
  lists: ResourceLists;
  refused: RefusedResources;
}

/** Without what hides something from whoever reads it. */
export async function screened({ lists, refused }: FoundResources): Promise<FoundResources> {
  const { completions } = lists;
  const turns = new Turns();
  const seen = async (kind: ResourceKind): Promise<[clear: JsonObject[], refused: RefusedDefinition[]]> => {
    const [clear, hiding]: [JsonObject[], RefusedDefinition[]] = [[], [...refused[kind]]];
    for (const item of lists[kind]) {
      if (turns.isOver) await turns.next();
      const name = String(item[RESOURCE_LISTS[kind].key]);
      if (isMisleading(name, stringifyJson(item))) hiding.push({ name: visibleText(name), reason: HIDES });
      else clear.push(item);
    }
    return [clear, hiding];
  };
  const found = {
    resources: await seen('resources'),
    templates: await seen('templates'),
    prompts: await seen('prompts'),
  };
  const { resources, templates, prompts } = found;
  return {
    lists: { resources: resources[0], templates: templates[0], prompts: prompts[0], completions },
    refused: { resources: resources[1], templates: templates[1], prompts: prompts[1] },
  };
}
