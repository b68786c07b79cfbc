import { Module } from '@nestjs/common';
import { ApprovalsModule } from '@haldir/approvals';
import { EgressModule } from '@haldir/egress';
import { GateModule } from '@haldir/gate';
import { VaultModule } from '@haldir/vault';
import { AccessTokens } from './secrets/access-tokens.js';
import { CallSecrets } from './secrets/call-secrets.js';
import { UpstreamHeaderVault } from './secrets/upstream-headers.js';
import { UpstreamMasks } from './secrets/upstream-masks.js';
import { CallConclusions } from './call-conclusions.service.js';
import { CatalogueChanges } from './catalogue-changes.js';
import { CatalogueFreshness } from './catalogue-freshness.js';
import { ListeningRepository } from './listening.repository.js';
import { OfferDirectory } from './offer-directory.js';
import { OfferReadService } from './offer-read.service.js';
import { OfferRepository } from './offer.repository.js';
import { PolicyRepository } from './policy.repository.js';
import { PolicyService } from './policy.service.js';
import { ProxyCallService } from './proxy-call.service.js';
import { SimulationService } from './simulation.service.js';
import { ToolPrices } from './tool-price.service.js';
import { RateLimiter } from './rate-limiter.js';
import { ToolCatalogue } from './tool-catalogue.js';
import { ToolDirectory } from './tool-directory.js';
import { ToolPins } from './tool-pins.service.js';
import { ToolRepository } from './tool.repository.js';
import { UnknownCalls } from './unknown-calls.js';
import { UpstreamClients } from './upstream-clients.js';
import { UpstreamTraffic } from './upstream-traffic.js';
import { UpstreamRepository } from './upstream.repository.js';
import { UpstreamService } from './upstream.service.js';

@Module({
  imports: [ApprovalsModule, EgressModule, GateModule, VaultModule],
  providers: [
    AccessTokens,
    CallConclusions,
    CallSecrets,
    CatalogueChanges,
    CatalogueFreshness,
    ListeningRepository,
    OfferDirectory,
    OfferReadService,
    OfferRepository,
    PolicyRepository,
    PolicyService,
    ProxyCallService,
    RateLimiter,
    ToolPrices,
    SimulationService,
    ToolCatalogue,
    ToolDirectory,
    ToolPins,
    ToolRepository,
    UnknownCalls,
    UpstreamClients,
    UpstreamHeaderVault,
    UpstreamMasks,
    UpstreamRepository,
    UpstreamService,
    UpstreamTraffic,
  ],
  exports: [
    CallConclusions,
    CatalogueChanges,
    ListeningRepository,
    UpstreamClients,
    OfferDirectory,
    OfferReadService,
    ToolPrices,
    PolicyService,
    ProxyCallService,
    RateLimiter,
    SimulationService,
    ToolCatalogue,
    ToolPins,
    UnknownCalls,
    UpstreamService,
  ],
})
export class ProxyModule {}
