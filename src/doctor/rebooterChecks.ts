import type { Rebooters } from '../cluster/rebooters.js';
import type { ClusterView, NodeView } from '../cluster/view.js';
import { otherRebooterGate } from '../gates/otherRebooterGate.js';
import type { HostPolicy } from '../playbook/playbook.js';
import { ok, skipped, warning, type Judgement } from './check.js';

/** What else takes nodes of the playbook down by itself, in the words of the gate; each object once. */
export function judgeRebooters(asked: {
  readonly view: ClusterView;
  readonly nodes: readonly NodeView[];
  readonly rebooters: Rebooters;
  readonly reboot: HostPolicy['reboot'];
}): readonly Judgement[] {
  const { view, nodes, rebooters, reboot } = asked;
  const findings = nodes.flatMap((node) => otherRebooterGate({ view, node, host: undefined, rebooters, reboot }));
  const each = new Map(findings.map((finding) => [`${finding.code} ${finding.objects.join()}`, finding]));
  if (each.size === 0)
    return [ok('other-rebooter', 'Nothing else in the cluster is known to take nodes down by itself.')];
  return [...each.values()].map(({ severity, message, hint }) =>
    severity === 'info' ? skipped('other-rebooter', message, hint) : warning('other-rebooter', message, hint),
  );
}
