import { Module } from '@nestjs/common';
import { ProxyModule } from '../proxy.module.js';
import { ConnectorController } from './connector.controller.js';
import { PolicyController } from './policy.controller.js';
import { ProxyCallController } from './proxy-call.controller.js';
import { SimulationController } from './simulation.controller.js';
import { ToolPriceController } from './tool-price.controller.js';
import { ToolController } from './tool.controller.js';
import { UpstreamController } from './upstream.controller.js';

@Module({
  imports: [ProxyModule],
  controllers: [
    ConnectorController,
    PolicyController,
    ProxyCallController,
    SimulationController,
    ToolPriceController,
    ToolController,
    UpstreamController,
  ],
})
export class ProxyHttpModule {}
