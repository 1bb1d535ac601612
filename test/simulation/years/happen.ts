import { marks } from '../../../src/cluster/marks.js';
import { resources } from '../../../src/cluster/resources.js';
import type { SimulatedCluster } from '../../../src/sandbox/simulatedCluster.js';
import { applyTrouble, mergeNode, personName, type TroubleScene } from '../troubles.js';
import type { Agenda } from './agenda.js';
import type { Happening } from './year.js';
import type { YearOperator } from './yearOperator.js';

interface Happenings {
  /** What troubles of nights are applied to. */
  readonly scene: TroubleScene;
  readonly operator: YearOperator;
  readonly agenda: Agenda;
  /** Begins something that takes time. */
  readonly undertake: (work: () => Promise<void>) => void;
}

/** Of a trouble of a night that is applied at once. */
const now = { id: '', atMs: 0 };

/** Lets a trouble of the year happen now. */
export function happen({ scene, operator, agenda, undertake }: Happenings, what: Happening): void {
  const { night, cluster, hosts, time } = scene;
  switch (what.kind) {
    case 'node-registered-anew': {
      const deleted = cluster.api.delete({ resource: resources.nodes, name: what.node }, personName);
      if (deleted.kind === 'ok') applyTrouble(scene, { ...now, kind: 'node-added', node: what.node });
      return;
    }
    case 'script-fails':
      operator.expect(what.node, what.then);
      hosts.host(what.node)?.failScript(what.stage, what.changed);
      return;
    case 'hold':
      applyTrouble(scene, { ...now, ...what });
      // Its own end waits for somebody to be at work.
      agenda.add(time.now() + what.forMs, () => {
        mergeNode(cluster.api, what.node, { metadata: { annotations: { [marks.hold]: null } } });
      });
      return;
    case 'pause': {
      const run = operator.unfinished();
      if (run === undefined) return;
      undertake(() => operator.ask({ run, ask: { verb: 'pause' } }));
      agenda.add(time.now() + what.resumedAfterMs, () => {
        undertake(() => operator.ask({ run, ask: { verb: 'resume' } }));
      });
      return;
    }
    case 'node-deleted':
      // The last one stays: without any node there is nothing to play.
      if (night.nodes.every(({ name }) => name === what.node || !isThere(cluster, name))) return;
      applyTrouble(scene, { ...now, ...what });
      return;
    default:
      applyTrouble(scene, { ...now, ...what });
  }
}

function isThere({ api }: SimulatedCluster, name: string): boolean {
  return api.get({ resource: resources.nodes, name }).kind === 'ok';
}
