import { type NestFastifyApplication } from '@nestjs/platform-fastify';
import { DocumentBuilder, SwaggerModule } from '@nestjs/swagger';
import { VERSION } from '@haldir/kernel';

/** Serves the OpenAPI 3.1 document at `/openapi.json` and Swagger UI at `/docs`. */
export function serveDocs(app: NestFastifyApplication): void {
  const base = new DocumentBuilder().setOpenAPIVersion('3.1.0').setTitle('Haldir API — Governance for AI Agents').setVersion(VERSION).build();
  const document = SwaggerModule.createDocument(app, base, {
    operationIdFactory: (_controller, method) => method,
    autoTagControllers: false,
  });
  SwaggerModule.setup('docs', app, document, { jsonDocumentUrl: 'openapi.json', yamlDocumentUrl: 'openapi.yaml' });
}
