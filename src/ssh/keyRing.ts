import type { SshPolicy } from '../playbook/playbook.js';
import { TurnusError } from '../turnusError.js';
import { loadCredentials, type IdentitySource } from './credentials.js';
import type { AccessTo } from './fileAccess.js';
import type { CredentialsAnswer } from './link.js';
import { loadPassphrase } from './passphrase.js';
import type { Machine } from './route.js';

/** What proves us to each machine; every key is read and opened once. */
export interface KeyRing {
  /** `config-refused` where a key that the ssh_config file names cannot be used and nothing takes its place. */
  credentialsFor(machine: Machine): Promise<CredentialsAnswer>;
}

/**
 * Reads the passphrase and, where it names one, the key of the playbook. Keys that an ssh_config file names are read
 * when their host is first connected to.
 *
 * @throws TurnusError as `loadCredentials` and `loadPassphrase` do
 */
export async function openKeyRing(sources: {
  readonly policy: SshPolicy;
  readonly readFile: (path: string) => Promise<string>;
  readonly accessTo: AccessTo;
  readonly agentSocket: string | undefined;
}): Promise<KeyRing> {
  const { policy, readFile, accessTo } = sources;
  const passphrase =
    policy.identityPassphrase === undefined
      ? undefined
      : await loadPassphrase(policy.identityPassphrase, readFile, accessTo);
  const load = async (identities: readonly IdentitySource[]) =>
    await loadCredentials({ ...sources, identities, passphrase });

  if (policy.config === undefined || policy.identity !== undefined) {
    const value = await load(playbookIdentity(policy));
    return { credentialsFor: () => Promise.resolve({ kind: 'ok', value }) };
  }
  const loaded = new Map<string, Promise<CredentialsAnswer>>();
  return {
    async credentialsFor({ name, identities }) {
      const key = JSON.stringify(identities);
      const answer =
        loaded.get(key) ?? load(identities).then((value) => ({ kind: 'ok', value }) as const, refusal(name));
      loaded.set(key, answer);
      const settled = await answer;
      if (settled.kind !== 'ok') loaded.delete(key);
      return settled;
    },
  };
}

/** The key that the playbook names, if it does. */
function playbookIdentity({ identity }: Pick<SshPolicy, 'identity'>): readonly IdentitySource[] {
  if (identity === undefined) return [];
  return [{ path: identity, where: 'spec.host.ssh.identity in the playbook', replaceable: false }];
}

function refusal(name: string) {
  return (error: unknown): CredentialsAnswer => {
    if (!(error instanceof TurnusError)) throw error;
    const hint = error.hint === undefined ? '' : ` ${error.hint}`;
    return { kind: 'config-refused', message: `Nothing was sent to ${name}: ${error.message}.${hint}` };
  };
}
