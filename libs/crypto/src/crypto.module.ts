import { Global, Module } from '@nestjs/common';
import { TypeOrmModule } from '@nestjs/typeorm';
import { GrantSeal } from './grant-seal.js';
import { KEY_ENTITIES } from './key-entities.js';
import { KeyRing } from './key-ring.js';
import { RootKeys } from './root-keys.js';

/** Keys and sealing for the whole process. */
@Global()
@Module({
  imports: [TypeOrmModule.forFeature(KEY_ENTITIES)],
  providers: [RootKeys, KeyRing, GrantSeal],
  exports: [KeyRing, GrantSeal],
})
export class CryptoModule {}
