import { hash } from 'node:crypto';

/** What a tool is called by models, whose APIs take `^[a-zA-Z0-9_-]{1,64}$`. */
export interface ModelNames {
  /** `upstream__tool` with `_` for other characters; too long for them perhaps, and not its alone. */
  modelName: string;
  /** The same, cut to 55 characters, with eight hex digits of the SHA-256 of `upstream.tool`. */
  hashedName: string;
}

/** As `tool_model_name` and `tool_hashed_name` of the database, where look-ups find them. */
export function modelNamesOf(upstream: string, tool: string): ModelNames {
  const modelName = `${upstream}__${tool}`.replace(/[^A-Za-z0-9_-]/gu, '_');
  const digest = hash('sha256', `${upstream}.${tool}`, 'hex');
  return { modelName, hashedName: `${modelName.slice(0, 55)}_${digest.slice(0, 8)}` };
}
