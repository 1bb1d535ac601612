import type { ApiObject } from '../../../src/cluster/clusterPort.js';
import { marks } from '../../../src/cluster/marks.js';
import { resources } from '../../../src/cluster/resources.js';
import { cordonMark, isSame, nameOf } from './truth.js';
import { complaints, type MakeInvariant } from './watchedNight.js';

/**
 * What the playbook's `duringTurn` sets comes with our cordon and goes with it: then each entry is what it was before,
 * but for one that somebody has changed in between, which stays as it is.
 */
export const duringTurnIsRestored: MakeInvariant = (night) => {
  const { say, violations } = complaints('during-turn-is-restored', night);
  const { annotations = {}, labels = {} } = night.night.playbook.duringTurn ?? {};
  const entries = [
    ...Object.entries(annotations).map(([key, set]) => ({ kind: 'annotations' as const, key, set })),
    ...Object.entries(labels).map(([key, set]) => ({ kind: 'labels' as const, key, set })),
  ];
  if (entries.length === 0) return { violations };
  /** What stood on each node before we set anything. */
  const former = new Map<string, readonly (string | undefined)[]>();
  const valuesOf = ({ metadata }: ApiObject) => entries.map(({ kind, key }) => metadata[kind]?.[key]);
  const isSetOn = ({ metadata }: ApiObject) => metadata.annotations?.[marks.duringTurn] !== undefined;

  return {
    changed({ resource, object, before, type }) {
      if (!isSame(resource, resources.nodes) || type !== 'modified' || before === undefined) return;
      const name = nameOf(object);
      if (isSetOn(object) !== (cordonMark(object) !== undefined)) {
        say(`${name} has only one of the mark of our cordon and the record of what it carries during its turn`);
      }
      if (!isSetOn(before) && isSetOn(object)) {
        former.set(name, valuesOf(before));
        entries.forEach(({ key, set }, place) => {
          if (valuesOf(object)[place] !== set) say(`${name} was cordoned without ${key}=${set}`);
        });
      }
      if (!isSetOn(before) || isSetOn(object)) return;
      entries.forEach(({ key, set }, place) => {
        const last = valuesOf(before)[place];
        const wanted = last === set ? former.get(name)?.[place] : last;
        const is = valuesOf(object)[place];
        if (is !== wanted) say(`${name} was given back with ${key} ${is ?? 'absent'} instead of ${wanted ?? 'absent'}`);
      });
    },
    violations,
  };
};
