import { Module } from '@nestjs/common';
import { TypeOrmModule } from '@nestjs/typeorm';
import { ApprovalsModule } from '@haldir/approvals';
import { EgressModule } from '@haldir/egress';
import { GateModule } from '@haldir/gate';
import { VaultModule } from '@haldir/vault';
import { ConnectorAnswers } from './connectors/connector-answers.js';
import { ConnectorClaims } from './connectors/connector-claims.js';
import { ConnectorExchangeRepository } from './connectors/connector-exchange.repository.js';
import { ConnectorExchanges } from './connectors/connector-exchanges.js';
import { ConnectorLeaseRepository } from './connectors/connector-lease.repository.js';
import { ConnectorNotices } from './connectors/connector-notices.js';
import { ConnectorPartRepository } from './connectors/connector-part.repository.js';
import { ConnectorSecrets } from './connectors/connector-secrets.js';
import { ConnectorTunnel } from './connectors/connector-tunnel.js';
import { ExchangeSeal } from './connectors/exchange-seal.js';
import { StoredPolicy } from './policies/policy.entity.js';
import { PolicyRepository } from './policies/policy.repository.js';
import { PolicyService } from './policies/policy.service.js';
import { RateLimiter } from './policies/rate-limiter.js';
import { RateWindowRepository } from './policies/rate-window.repository.js';
import { AccessTokens } from './upstreams/access-tokens.js';
import { ListChanges } from './upstreams/list-changes.js';
import { ListenerLeaseRepository } from './upstreams/listener-lease.repository.js';
import { CircuitRepository } from './upstreams/circuit.repository.js';
import { UpstreamConnections } from './upstreams/upstream-connections.js';
import { UpstreamCredentials } from './upstreams/upstream-credentials.js';
import { UpstreamLimits } from './upstreams/upstream-limits.js';
import { UpstreamMasks } from './upstreams/upstream-masks.js';
import { UpstreamPlaces } from './upstreams/upstream-places.js';
import { KeptUpstreamSession } from './upstreams/upstream-session.entity.js';
import { UpstreamSessionReaper } from './upstreams/upstream-session-reaper.js';
import { UpstreamSessionRepository } from './upstreams/upstream-session.repository.js';
import { UpstreamSessions } from './upstreams/upstream-sessions.js';
import { UpstreamSettingsRepository } from './upstreams/upstream-settings.repository.js';
import { UpstreamStatistics } from './upstreams/upstream-statistics.js';
import { UpstreamTraffic } from './upstreams/upstream-traffic.entity.js';
import { UpstreamTrafficRepository } from './upstreams/upstream-traffic.repository.js';
import { Upstream, UpstreamName } from './upstreams/upstream.entity.js';
import { UpstreamRepository } from './upstreams/upstream.repository.js';
import { ResourceCatalogue } from './catalogue/resource-catalogue.js';
import { ResourceRepository } from './catalogue/resource.repository.js';
import { ToolCatalogue } from './catalogue/tool-catalogue.js';
import { ToolLookup } from './catalogue/tool-lookup.js';
import { ToolSearch } from './catalogue/tool-search.js';
import { ToolSearchRepository } from './catalogue/tool-search.repository.js';
import { ToolPinsService } from './catalogue/tool-pins.service.js';
import { ToolPrice } from './catalogue/tool-price.entity.js';
import { ToolPriceRepository } from './catalogue/tool-price.repository.js';
import { ToolPriceService } from './catalogue/tool-price.service.js';
import { LinkedResource } from './catalogue/linked-resource.entity.js';
import { LinkedResourceRepository } from './catalogue/linked-resource.repository.js';
import { StoredResources } from './catalogue/stored-resources.entity.js';
import { ToolTargetRepository } from './catalogue/tool-target.repository.js';
import { Tool } from './catalogue/tool.entity.js';
import { ToolRepository } from './catalogue/tool.repository.js';
import { CatalogueFreshness } from './registry/catalogue-freshness.js';
import { ConnectorRegistration } from './registry/connector-registration.js';
import { Discovery } from './registry/discovery.js';
import { UpstreamCircuits } from './registry/upstream-circuits.js';
import { UpstreamHealthService } from './registry/upstream-health.service.js';
import { UpstreamRegistry } from './registry/upstream-registry.js';
import { CallConclusions } from './calls/call-conclusions.js';
import { CallPipeline } from './calls/call-pipeline.js';
import { SecureStep } from './calls/secure-step.js';
import { SendStep } from './calls/send-step.js';
import { CallSecrets } from './calls/call-secrets.js';
import { LinkedResources } from './calls/linked-resources.js';
import { ResourceReadService } from './calls/resource-read.service.js';
import { ToolCallService } from './calls/tool-call.service.js';
import { UnknownCalls } from './calls/unknown-calls.js';
import { SimulationService } from './simulation/simulation.service.js';

const entities = [
  KeptUpstreamSession,
  LinkedResource,
  StoredPolicy,
  StoredResources,
  Tool,
  ToolPrice,
  Upstream,
  UpstreamName,
  UpstreamTraffic,
];

@Module({
  imports: [TypeOrmModule.forFeature(entities), ApprovalsModule, EgressModule, GateModule, VaultModule],
  providers: [
    AccessTokens,
    CallConclusions,
    CallPipeline,
    SecureStep,
    SendStep,
    CallSecrets,
    CatalogueFreshness,
    CircuitRepository,
    ConnectorAnswers,
    ConnectorClaims,
    ConnectorExchangeRepository,
    ConnectorExchanges,
    ConnectorLeaseRepository,
    ConnectorNotices,
    ConnectorPartRepository,
    ConnectorRegistration,
    ConnectorSecrets,
    ConnectorTunnel,
    Discovery,
    ExchangeSeal,
    LinkedResourceRepository,
    LinkedResources,
    ListChanges,
    ListenerLeaseRepository,
    PolicyRepository,
    PolicyService,
    RateLimiter,
    RateWindowRepository,
    ResourceCatalogue,
    ResourceReadService,
    ResourceRepository,
    SimulationService,
    ToolCallService,
    ToolCatalogue,
    ToolLookup,
    ToolPinsService,
    ToolPriceRepository,
    ToolPriceService,
    ToolRepository,
    ToolSearch,
    ToolSearchRepository,
    ToolTargetRepository,
    UnknownCalls,
    UpstreamCircuits,
    UpstreamConnections,
    UpstreamCredentials,
    UpstreamHealthService,
    UpstreamLimits,
    UpstreamMasks,
    UpstreamPlaces,
    UpstreamRegistry,
    UpstreamRepository,
    UpstreamSessionReaper,
    UpstreamSessionRepository,
    UpstreamSessions,
    UpstreamSettingsRepository,
    UpstreamStatistics,
    UpstreamTrafficRepository,
  ],
  exports: [
    LinkedResources,
    CallConclusions,
    CircuitRepository,
    ConnectorAnswers,
    ConnectorClaims,
    ConnectorExchangeRepository,
    ConnectorLeaseRepository,
    ConnectorRegistration,
    ConnectorSecrets,
    Discovery,
    ListChanges,
    ListenerLeaseRepository,
    PolicyService,
    RateLimiter,
    ResourceCatalogue,
    ResourceReadService,
    SimulationService,
    ToolCallService,
    ToolCatalogue,
    ToolPinsService,
    ToolPriceService,
    ToolSearch,
    UnknownCalls,
    UpstreamConnections,
    UpstreamHealthService,
    UpstreamRegistry,
    UpstreamSessionReaper,
  ],
})
export class ProxyModule {}
