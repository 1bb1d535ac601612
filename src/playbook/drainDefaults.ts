import { assemblePlaybook } from './assemblePlaybook.js';
import type { Playbook } from './playbook.js';
import { playbookSchema } from './schema.js';

/**
 * What holds for `turnus drain` without a playbook: every default of one. Only how many nodes may be out of service is
 * not limited, because whoever drains one node after the other by hand decides that. Hosts are never asked.
 */
export function drainDefaults(): Playbook {
  const manifest = playbookSchema.parse({
    apiVersion: 'turnus.dev/v1alpha1',
    kind: 'Playbook',
    metadata: { name: 'drain' },
    spec: { nodes: { maxUnavailable: '100%' }, host: { ssh: { user: 'nobody' } } },
  });
  return assemblePlaybook(
    manifest,
    { file: 'drain', homeDirectory: '/' },
    { scripts: new Map(), calendars: new Map() },
  );
}
