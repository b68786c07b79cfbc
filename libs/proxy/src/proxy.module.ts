import { Module } from '@nestjs/common';
import { ApprovalsModule } from '@haldir/approvals';
import { EgressModule } from '@haldir/egress';
import { GateModule } from '@haldir/gate';
import { VaultModule } from '@haldir/vault';
import { AccessTokens } from './upstreams/access-tokens.js';
import { CallSecrets } from './calls/call-secrets.js';
import { UpstreamHeaderVault } from './upstreams/upstream-credentials.js';
import { UpstreamMasks } from './upstreams/upstream-masks.js';
import { CallConclusions } from './calls/call-conclusions.service.js';
import { CatalogueChanges } from './upstreams/list-changed.js';
import { CatalogueFreshness } from './registry/catalogue-freshness.js';
import { ListeningRepository } from './upstreams/listener-lease.repository.js';
import { OfferDirectory } from './catalogue/resource-catalogue.js';
import { OfferReadService } from './calls/resource-read.service.js';
import { OfferRepository } from './catalogue/resource.repository.js';
import { PolicyRepository } from './policies/policy.repository.js';
import { PolicyService } from './policies/policy.service.js';
import { ProxyCallService } from './calls/tool-call.service.js';
import { SimulationService } from './simulation/simulation.service.js';
import { ToolPrices } from './catalogue/tool-price.service.js';
import { RateLimiter } from './policies/rate-limiter.js';
import { ToolCatalogue } from './catalogue/tool-catalogue.js';
import { ToolDirectory } from './catalogue/tool-lookup.js';
import { ToolPins } from './catalogue/tool-pins.service.js';
import { ToolRepository } from './catalogue/tool.repository.js';
import { UnknownCalls } from './calls/unknown-calls.js';
import { UpstreamClients } from './upstreams/upstream-connections.js';
import { UpstreamTraffic } from './upstreams/upstream-statistics.js';
import { UpstreamRepository } from './upstreams/upstream.repository.js';
import { Discovery } from './registry/discovery.js';
import { UpstreamHealthService } from './registry/upstream-health.service.js';
import { UpstreamRegistry } from './registry/upstream-registry.js';

@Module({
  imports: [ApprovalsModule, EgressModule, GateModule, VaultModule],
  providers: [
    AccessTokens,
    CallConclusions,
    CallSecrets,
    CatalogueChanges,
    CatalogueFreshness,
    Discovery,
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
    UpstreamHealthService,
    UpstreamRegistry,
    UpstreamTraffic,
  ],
  exports: [
    CallConclusions,
    CatalogueChanges,
    Discovery,
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
    UpstreamHealthService,
    UpstreamRegistry,
  ],
})
export class ProxyModule {}
