import { resources } from '../../../src/cluster/resources.js';
import { cordonMark, isCordoned, isReady, isSame, nameOf } from './truth.js';
import { complaints, type MakeInvariant } from './watchedNight.js';

/**
 * When we cordon a node, no more than `maxUnavailable` nodes are out because of us: they carry our cordon, or were
 * rebooted by us and are not Ready again. A touched node that a person uncordoned is cordoned again whatever else is out:
 * unproven, it must not be in service.
 */
export const maxUnavailableHolds: MakeInvariant = (night) => {
  const { say, violations } = complaints('max-unavailable-holds', night);
  const { maxUnavailable } = night.night.playbook;
  const rebooted = new Set<string>();
  const touched = new Set<string>();
  return {
    onHost(event) {
      if (event.kind === 'went-down' && event.asked) rebooted.add(event.node);
      if (event.kind === 'job-started' && event.stage !== 'prepare') touched.add(event.node);
    },
    changed({ resource, object, before, type }) {
      if (!isSame(resource, resources.nodes) || type === 'deleted') return;
      if (before !== undefined && cordonMark(before) !== undefined && cordonMark(object) === undefined) {
        touched.delete(nameOf(object));
      }
      const isOurCordon =
        isCordoned(object) && cordonMark(object) !== undefined && before !== undefined && !isCordoned(before);
      if (!isOurCordon || touched.has(nameOf(object))) return;
      const out = night.truth
        .nodes()
        .filter((node) => (isCordoned(node) && cordonMark(node) !== undefined) || isDownByUs(nameOf(node)))
        .map(nameOf);
      if (out.length > maxUnavailable) {
        say(`${nameOf(object)} was cordoned while ${out.join(', ')} are out by us; ${maxUnavailable} may be`);
      }
    },
    violations,
  };

  function isDownByUs(name: string): boolean {
    const node = night.truth.node(name);
    if (!rebooted.has(name) || node === undefined) return false;
    if (isReady(node) && night.machine(name).isUp) rebooted.delete(name);
    return rebooted.has(name);
  }
};
