import { Turns } from '@haldir/kernel';
import { isObject, type JsonObject, type MirroredArgument, mirroredArguments, mirrorHeaders } from '@haldir/mcp';
import { type UpstreamTool } from './mcp-protocol.js';

/** Which arguments of which tools an upstream of the stateless revision wants repeated as headers, as its list said last. */
export class MirroredHeaders {
  /** Only tools that declare something. */
  private byTool = new Map<string, MirroredArgument[]>();

  /** Replaces what an earlier list said, once all of this one is read. */
  async learn(tools: readonly UpstreamTool[]): Promise<void> {
    const turns = new Turns();
    const byTool = new Map<string, MirroredArgument[]>();
    for (const { name, inputSchema } of tools) {
      if (turns.isOver) await turns.next();
      const declared = mirroredArguments(inputSchema);
      if (declared.length > 0) byTool.set(name, [...declared]);
    }
    this.byTool = byTool;
  }

  /** @param declared what the caller goes by, whatever the list said */
  of(call: JsonObject, declared?: readonly MirroredArgument[]): Record<string, string> {
    const wanted = declared ?? this.byTool.get(String(call['name']));
    return wanted && isObject(call['arguments']) ? mirrorHeaders(wanted, call['arguments']) : {};
  }
}
