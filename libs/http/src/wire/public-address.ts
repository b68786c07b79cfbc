import { Injectable } from '@nestjs/common';
import { HaldirConfig } from '@haldir/runtime';
import { type HaldirRequest } from '../auth/caller.js';
import { LOOPBACK_NAMES } from '../auth/origins.js';

/** Under which address people and agents reach this installation. */
@Injectable()
export class PublicAddress {
  constructor(private readonly config: HaldirConfig) {}

  /**
   * The whole URL of a path, below `HALDIR_BASE_PATH`: under `HALDIR_PUBLIC_URL`, or else under the host that the request named, which is also the one where
   * both are names of this machine, at one port.
   */
  of({ protocol, host }: Pick<HaldirRequest, 'protocol' | 'host'>, path: string): string {
    const named = `${protocol}://${host}`;
    const { publicUrl, basePath } = this.config;
    const origin = publicUrl === null || isSameLoopback(publicUrl, named) ? named : publicUrl;
    return URL.canParse(origin) ? new URL(basePath + path, origin).href : `${protocol}://localhost${basePath}${path}`;
  }
}

function isSameLoopback(one: string, other: string): boolean {
  if (!URL.canParse(one) || !URL.canParse(other)) return false;
  const [a, b] = [new URL(one), new URL(other)];
  return a.protocol === b.protocol && a.port === b.port && [a, b].every((url) => LOOPBACK_NAMES.includes(url.hostname));
}
