import type { ApiObject, Resource } from '../../cluster/clusterPort.js';
import { keyOf } from './records.js';
import { workQueue, type WorkQueue } from './workQueue.js';
import type { World } from './world.js';

/** Looks at each workload of a kind when it changes, and when one of its pods does. */
export function workloadQueue(
  world: World,
  { kind, resource }: { readonly kind: string; readonly resource: Resource },
  work: (workload: ApiObject) => void,
): WorkQueue {
  const { state, pace } = world;
  const queue = workQueue(world, pace.controllerMs, (key) => {
    const workload = state.objects(resource.plural).get(key);
    if (workload !== undefined) work(workload);
  });
  state.on(resource.plural, ({ object }) => {
    queue.add(keyOf(object));
  });
  state.onPod((now, before) => {
    const pod = now ?? before;
    if (pod?.controller?.kind === kind) queue.add(`${pod.namespace}/${pod.controller.name}`);
  });
  return queue;
}
