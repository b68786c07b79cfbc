import { type CallRequest } from './call-request.js';

/** A tool call as a session asks for it. */
export interface NewCall extends CallRequest {
  /** `upstream.tool`, or the tool's own name where only one upstream has it. */
  tool: string;
  /** Of a request that repeats arguments as headers, because the tool's schema says so: whether it repeats these. */
  repeats?: (headers: Readonly<Record<string, string>>) => boolean;
}
