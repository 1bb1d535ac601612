import { stringify } from 'yaml';

/** A kubeconfig with one context. It holds a token: write it with mode 0600. */
export function kubeconfigText(parts: {
  readonly server: string;
  readonly certificateAuthority: string;
  readonly token: string;
  readonly user: string;
  readonly context: string;
}): string {
  const { server, certificateAuthority, token, user, context } = parts;
  const authority = Buffer.from(certificateAuthority).toString('base64');
  return stringify(
    {
      apiVersion: 'v1',
      kind: 'Config',
      'current-context': context,
      clusters: [{ name: context, cluster: { server, 'certificate-authority-data': authority } }],
      users: [{ name: user, user: { token } }],
      contexts: [{ name: context, context: { cluster: context, user } }],
    },
    { lineWidth: 0 },
  );
}
