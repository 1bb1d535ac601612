import { marks } from '../../../src/cluster/marks.js';
import { recordOf } from '../../../src/cluster/json.js';
import { resources } from '../../../src/cluster/resources.js';
import { isSame, nodeOfTurn, turnStatusOf } from './truth.js';
import { complaints, type MakeInvariant } from './watchedNight.js';

/**
 * A node that script `leave` may have taken out of what sends traffic to it is only given back when `join` has ended well
 * after it, or when a person has vouched for it. A script that runs on a host is not overtaken by the other one.
 */
export const leftComesBack: MakeInvariant = (night) => {
  const { say, violations } = complaints('left-comes-back', night);
  const away = new Set<string>();
  /** Jobs at work, by node. */
  const atWork = new Map<string, Set<string>>();
  if (!night.night.playbook.stages.includes('join')) return { violations };

  const isVouchedFor = (node: string): boolean =>
    night.truth
      .turns()
      .some((turn) => nodeOfTurn(turn) === node && turnStatusOf(turn).jobs?.join?.vouchedBy !== undefined);

  return {
    onHost(event) {
      if (event.kind !== 'job-started' && event.kind !== 'job-ended') return;
      const jobs = atWork.get(event.node) ?? new Set();
      atWork.set(event.node, jobs);
      if (event.kind === 'job-ended') {
        jobs.delete(event.job);
        if (event.stage === 'join' && event.exitCode === 0) away.delete(event.node);
        return;
      }
      if (jobs.size > 0) say(`script ${event.job} was started on ${event.node} beside ${[...jobs].join(', ')}`);
      jobs.add(event.job);
      if (event.stage === 'leave') away.add(event.node);
    },
    arrived({ verb, resource, actor, name = '', request }, answer) {
      if (answer.kind !== 'ok' || verb !== 'patch' || !isSame(resource, resources.nodes) || !away.has(name)) return;
      const { operations } = recordOf(recordOf(request)['patch']);
      const removed = Array.isArray(operations)
        ? operations.map(recordOf).flatMap(({ op, path }) => (op === 'remove' ? path : []))
        : [];
      if (!removed.includes(`/metadata/annotations/${marks.cordonedBy.replaceAll('/', '~1')}`)) return;
      if (!isVouchedFor(name)) say(`${actor} gave ${name} back after script leave without a join that ended well`);
    },
    violations,
  };
};
