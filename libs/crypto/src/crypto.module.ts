import { Global, Module } from '@nestjs/common';
import { KeyRing } from './key-ring.js';
import { RootKeys } from './root-keys.js';

/** Keys and sealing for the whole process. */
@Global()
@Module({ providers: [RootKeys, KeyRing], exports: [KeyRing] })
export class CryptoModule {}
