import { treatmentOf } from './nightPolicy.js';
import { isCordoned, mustLeave, nodeOfPod, podName } from './truth.js';
import { complaints, type MakeInvariant } from './watchedNight.js';

/**
 * A host is not touched, by the update or by a reboot, while the node is not cordoned or a pod that must leave is still
 * there. Immediately before, node and pods are read consistently: what the actor knew when it asked for that reading
 * counts against it, what came later does not.
 */
export const onlyEmptyHostsAreTouched: MakeInvariant = (night) => {
  const { say, violations } = complaints('only-empty-hosts-are-touched', night);
  const starter = new Map<string, string>();
  const rebootsAsked = new Set<string>();

  const judge = (actor: string, name: string, act: string): void => {
    const knowledge = night.told.of(actor);
    const readAt = knowledge.nodeReadAt.get(name);
    const node = night.truth.node(name);
    if (node === undefined) return;
    if (readAt === undefined) {
      say(`${act} of ${name} by ${actor}, which never read the node and its pods`);
      return;
    }
    const { schedulableSince } = knowledge.nodes.get(name) ?? {};
    if (!isCordoned(node) && schedulableSince !== undefined && schedulableSince < readAt) {
      say(`${act} of ${name} by ${actor} while the node is not cordoned`);
    }
    const left = night.truth.pods().filter((pod) => {
      if (nodeOfPod(pod) !== name || !mustLeave(pod)) return false;
      if (treatmentOf(night.night, pod) === 'leave') return false;
      const known = knowledge.pods.get(podName(pod));
      if (known?.object.metadata.uid !== pod.metadata.uid) return false;
      return known?.placedSince !== undefined && known.placedSince < readAt;
    });
    if (left.length > 0) say(`${act} of ${name} by ${actor} while ${left.map(podName).join(', ')} are on it`);
  };

  return {
    sent({ port, verb, actor, name = '', request }) {
      if (port !== 'host') return;
      if (verb === 'startJob') starter.set(name, actor);
      if (verb !== 'reboot') return;
      // Asked again, the request may only have been lost; the host compares the boot id.
      const key = `${name} ${JSON.stringify(request)}`;
      if (rebootsAsked.has(key)) return;
      rebootsAsked.add(key);
      judge(actor, name, 'reboot');
    },
    onHost(event) {
      if (event.kind === 'job-started' && event.stage === 'update') {
        judge(starter.get(event.node) ?? '', event.node, 'update');
      }
    },
    violations,
  };
};
