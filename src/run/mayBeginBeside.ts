import { restartMark } from '../drain/surge.js';
import type { Conducting } from './conducting.js';
import { mayLeaveBeside } from './mayLeaveBeside.js';

/** May this turn begin beside those in work, as the cluster is at this moment? */
export function mayBeginBeside({ cache, store, playbook, inHand }: Conducting, node: string): boolean {
  const others = [...inHand].map((other) => {
    const status = store.state().turns.get(other)?.status;
    return {
      node: other,
      phase: status?.phase ?? 'Pending',
      isCordoned: status?.cordoned === true,
      displaced: new Map((status?.displaced ?? []).map(({ owner, readyBefore }) => [owner, readyBefore])),
    };
  });
  const restartedFor = restartMark({ turn: store.state().name, node });
  return mayLeaveBeside({ view: cache.view(), node, others, playbook, restartedFor });
}
