import { Module } from '@nestjs/common';
import { TypeOrmModule } from '@nestjs/typeorm';
import { QueueModule, queues } from '@haldir/queue';
import { WatchModule } from '@haldir/watch';
import { EvidenceFactsRepository } from './evidence-facts.repository.js';
import { EvidenceMaker } from './evidence-maker.js';
import { Evidence } from './evidence.entity.js';
import { EvidenceRepository } from './evidence.repository.js';
import { EvidenceService } from './evidence.service.js';

@Module({
  imports: [TypeOrmModule.forFeature([Evidence]), QueueModule.for(queues.evidence), WatchModule],
  providers: [EvidenceFactsRepository, EvidenceMaker, EvidenceRepository, EvidenceService],
  exports: [EvidenceMaker, EvidenceService],
})
export class EvidenceModule {}
