import type { Playbook } from '../playbook/playbook.js';
import { TurnusError } from '../turnusError.js';

/** What a call hears whose playbook means no node of the cluster. */
export function noNodes({ name, nodes }: Pick<Playbook, 'name' | 'nodes'>): TurnusError {
  return new TurnusError({
    code: 'no-nodes',
    message: `The playbook ${name} selects no node of the cluster (selector ${JSON.stringify(nodes.selector)}, exclude ${nodes.exclude}).`,
    hint: 'Change spec.nodes.selector; kubectl get nodes -l SELECTOR shows what a selector matches.',
  });
}
