import { Module } from '@nestjs/common';
import { EvidenceModule } from '../evidence.module.js';
import { EvidenceController } from './evidence.controller.js';

@Module({ imports: [EvidenceModule], controllers: [EvidenceController] })
export class EvidenceHttpModule {}
