import { Inject, Injectable } from '@nestjs/common';
import { HaldirConfig } from '@haldir/runtime';
import { type HaldirRequest } from '../auth/caller.js';

/** Under which address people and agents reach this installation. */
@Injectable()
export class PublicAddress {
  constructor(@Inject(HaldirConfig) private readonly config: HaldirConfig) {}

  /** The whole URL of a path: under `HALDIR_PUBLIC_URL`, or else under the host that the request named. */
  of({ protocol, host }: Pick<HaldirRequest, 'protocol' | 'host'>, path: string): string {
    const origin = this.config.publicUrl ?? `${protocol}://${host}`;
    return URL.canParse(origin) ? new URL(path, origin).href : `${protocol}://localhost${path}`;
  }
}
