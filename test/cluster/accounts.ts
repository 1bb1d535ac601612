import { randomBytes } from 'node:crypto';

/** Users of the API server: token authentication, as in a cluster with an external identity provider. */
const groupsOfUsers = {
  /** May do everything: what an engineer's kubeconfig usually holds. */
  admin: ['system:masters'],
  /** Has no rights until a test binds some. */
  operator: [],
  /** Has no rights until a test binds some: the second pair of eyes. */
  approver: [],
  /** The tests' own look at the cluster. */
  observer: ['system:masters'],
  'system:kube-controller-manager': ['system:masters'],
  'system:kube-scheduler': ['system:masters'],
  'system:kwok': ['system:masters'],
} as const satisfies Record<string, readonly string[]>;

export type UserName = keyof typeof groupsOfUsers;

/** Fresh tokens of one cluster. */
export class Accounts {
  readonly #tokens = new Map<UserName, string>();

  constructor() {
    for (const user of userNames()) this.#tokens.set(user, randomBytes(16).toString('hex'));
  }

  token(user: UserName): string {
    return this.#tokens.get(user) ?? '';
  }

  /** Content of kube-apiserver's --token-auth-file. */
  tokenFile(): string {
    const lines = userNames().map((user) => {
      const groups: readonly string[] = groupsOfUsers[user];
      return [this.token(user), user, user, ...(groups.length === 0 ? [] : [`"${groups.join(',')}"`])].join(',');
    });
    return `${lines.join('\n')}\n`;
  }
}

function userNames(): UserName[] {
  return Object.keys(groupsOfUsers) as UserName[];
}

/** A kubeconfig with one context, `testbed` (JSON is YAML). */
export function kubeconfig(options: {
  server: string;
  certificateAuthority: string;
  user: UserName;
  token: string;
}): string {
  const { server, certificateAuthority, user, token } = options;
  const config = {
    apiVersion: 'v1',
    kind: 'Config',
    'current-context': 'testbed',
    clusters: [
      {
        name: 'testbed',
        cluster: {
          server,
          'certificate-authority-data': Buffer.from(certificateAuthority).toString('base64'),
        },
      },
    ],
    users: [{ name: user, user: { token } }],
    contexts: [{ name: 'testbed', context: { cluster: 'testbed', user } }],
  };
  return `${JSON.stringify(config, null, 2)}\n`;
}
