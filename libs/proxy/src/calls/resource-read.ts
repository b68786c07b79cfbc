import { type JsonObject } from '@haldir/mcp';
import { type CallRequest } from './call-request.js';

/** A session wants to read a resource, get a prompt, or have an argument of either completed. */
export interface NewRead extends CallRequest {
  method: 'resources/read' | 'prompts/get' | 'completion/complete';
  /** What it is about. */
  subject: { kind: 'resource' | 'prompt'; name: string };
  /** Besides the subject. */
  arguments: JsonObject;
  /** Of the request to the upstream, with the subject as that knows it. */
  params: (subject: string) => JsonObject;
}
