import { Injectable } from '@nestjs/common';
import { SecretService } from '@haldir/vault';
import { SecretRevealed, SecretStored, StoreSecret, toNewSecret, toSecretStored } from '@haldir/vault/http';
import { z } from 'zod';
import { sessionId } from './fields.js';
import { ownTool, type OwnTools } from './own-tool.js';

const GetSecret = z.object({
  name: z.string('expected a secret name').describe('Secret name'),
  session_id: sessionId.shape.session_id.optional().describe('Session whose scopes decide; without it the key reads'),
});

@Injectable()
export class SecretTools implements OwnTools {
  constructor(private readonly secrets: SecretService) {}

  readonly tools = [
    ownTool({
      name: 'storeSecret',
      title: 'Store a secret',
      description: 'Store a secret, encrypted at rest. Storing a name again makes a new version.',
      audience: ['operator'],
      scopes: ['vault:write'],
      readOnly: false,
      input: StoreSecret,
      output: SecretStored,
      run: async (args, { caller, write }) => {
        const wanted = toNewSecret(args);
        try {
          return await write(async (tx) =>
            toSecretStored(wanted.name, await this.secrets.store(tx, caller.actor, wanted)),
          );
        } finally {
          wanted.value.wipe();
        }
      },
    }),
    ownTool({
      name: 'getSecret',
      title: 'Read a secret',
      description:
        'The value of a secret. In a session, it must hold the scope that the secret requires; every read is logged.',
      audience: ['agent', 'operator'],
      scopes: ['vault:read'],
      openToAgents: true,
      readOnly: true,
      input: GetSecret,
      output: SecretRevealed,
      run: async ({ name, session_id: id }, { caller }) => {
        const { value } = await this.secrets.read(caller.actor, name, id ?? null);
        return { name, value: value.reveal() };
      },
    }),
  ];
}
