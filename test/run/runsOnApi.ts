import type { ClusterPort } from '../../src/cluster/clusterPort.js';
import { lastTurnText, marks } from '../../src/cluster/marks.js';
import { resources } from '../../src/cluster/resources.js';
import { defaultNamespace, manifests } from '../../src/install/manifests.js';
import { newRun, newTurn, parseRun, runResource, turnResource } from '../../src/run/objects.js';
import type { RunSpec, TurnStatus } from '../../src/run/state.js';
import { simulatedPort } from '../../src/sandbox/api/simulatedPort.js';
import { apiWith, create, listed, setStatus } from '../sandbox/api/apiFixture.js';
import { resourceOf } from '../simulation/nightObjects.js';
import { runSpec } from './runFixtures.js';

/** A run as an actor leaves it. */
export interface WrittenRun {
  readonly name: string;
  readonly phase?: string;
  readonly spec?: Partial<RunSpec>;
  /** By node. */
  readonly turns?: Readonly<Record<string, TurnStatus>>;
}

/** The sandbox's API with Turnus installed, and a hand that puts nodes and runs into it. */
export interface RunsOnApi {
  readonly port: ClusterPort;
  readonly namespace: string;
  names(of: 'runs' | 'turns'): string[];
  /** A node that is registered now, with a mark of its last turn where one is given; answers its UID. */
  addNode(name: string, mark?: { readonly time: number; readonly run: string }): string;
  /** Each a day after the one before. */
  addRun(run: WrittenRun): void;
  removeNode(name: string): void;
  passDays(days: number): void;
  now(): number;
}

const dayMs = 86_400_000;

export function runsOnApi(): RunsOnApi {
  const { api, timeline } = apiWith();
  const namespace = defaultNamespace;
  for (const object of manifests(namespace)) create(api, resourceOf(object), object);
  const uids = new Map<string, string>();
  const passDays = (days: number) => {
    timeline.advance(days * dayMs);
  };
  return {
    port: simulatedPort({ api, caller: 'ada' }),
    namespace,
    names: (of) => {
      const objects = listed(api, of === 'runs' ? runResource : turnResource);
      return objects.map(({ metadata }) => metadata.name ?? '');
    },
    addNode(name, mark) {
      const annotations = mark === undefined ? {} : { [marks.lastTurn]: lastTurnText(mark) };
      const { metadata } = create(api, resources.nodes, { kind: 'Node', metadata: { name, annotations } });
      uids.set(name, metadata.uid ?? '');
      return metadata.uid ?? '';
    },
    addRun({ name, phase = 'Completed', spec, turns = {} }) {
      passDays(1);
      const object = create(api, runResource, newRun({ name, namespace, spec: { ...runSpec, ...spec } }));
      const run = parseRun(setStatus(api, runResource, object, { phase, order: Object.keys(turns) }));
      for (const [node, status] of Object.entries(turns)) {
        const { rehearsal } = run.spec;
        const nodeUid = uids.get(node) ?? `uid-of-${node}`;
        const turn = newTurn({ run, namespace, spec: { run: name, node, nodeUid, rehearsal } });
        setStatus(api, turnResource, create(api, turnResource, turn), status);
      }
    },
    removeNode(name) {
      api.delete({ resource: resources.nodes, name }, 'test');
    },
    passDays,
    now: () => timeline.now(),
  };
}
