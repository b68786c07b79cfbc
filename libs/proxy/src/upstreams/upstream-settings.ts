import { type Separator } from './upstream.entity.js';
import { type OwnLimits } from './upstream-limits.js';

/** How a registration is to be treated, besides what its upstream may take. */
export interface UpstreamTerms {
  /** Whether agents are shown its tools with its name before theirs. */
  prefixed: boolean;
  separator: Separator;
  /** A call asks for the tools again when the last answer is older than this. */
  toolsMaxAgeSeconds: number;
}

/** What can be changed of a registration that goes on. */
export type UpstreamSettings = UpstreamTerms & OwnLimits;

export function settingsOf(settings: UpstreamSettings): UpstreamSettings {
  const { prefixed, separator, toolsMaxAgeSeconds, timeoutSeconds, maxAnswerBytes, concurrency } = settings;
  return { prefixed, separator, toolsMaxAgeSeconds, timeoutSeconds, maxAnswerBytes, concurrency };
}
