import { Global, Module } from '@nestjs/common';
import { GrantSeal } from './grant-seal.js';
import { KeyRing } from './key-ring.js';
import { RootKeys } from './root-keys.js';

/** Keys and sealing for the whole process. */
@Global()
@Module({ providers: [RootKeys, KeyRing, GrantSeal], exports: [KeyRing, GrantSeal] })
export class CryptoModule {}
