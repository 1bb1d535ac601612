import { durationOf } from './records.js';
import { workQueue } from './workQueue.js';
import type { World } from './world.js';

const rebootId = 'sandbox.turnus.dev/reboot-id';
export const bootDelay = 'sandbox.turnus.dev/boot-delay';
export const holdDown = 'sandbox.turnus.dev/hold-down';

/** Plays the boots that a node's annotations ask for, as test/cluster/kwok.yaml does: down at once, up after a while. */
export function runAnnotatedBoots(
  world: World,
  machines: {
    readonly isUp: (node: string) => boolean;
    readonly goDown: (node: string) => void;
    readonly boot: (node: string, bootId: string) => void;
  },
): void {
  const { state, pace } = world;
  const downs = workQueue(world, pace.kubeletMs, machines.goDown);
  const boots = workQueue(world, pace.kubeletMs, (name) => {
    const annotations = state.nodes.get(name)?.annotations;
    const bootId = annotations?.[rebootId];
    if (bootId === undefined || annotations?.[holdDown] !== undefined || machines.isUp(name)) return;
    machines.boot(name, bootId);
  });
  state.onNode((now, before) => {
    const bootId = now?.annotations[rebootId];
    if (now === undefined || bootId === undefined) return;
    const isNew = bootId !== before?.annotations[rebootId] && bootId !== now.bootId;
    const isReleased = before?.annotations[holdDown] !== undefined && now.annotations[holdDown] === undefined;
    if (isNew) downs.add(now.name, 0);
    if (isNew || (isReleased && !machines.isUp(now.name))) {
      boots.add(now.name, durationOf(now.annotations[bootDelay]) ?? pace.annotatedBootMs);
    }
  });
}
