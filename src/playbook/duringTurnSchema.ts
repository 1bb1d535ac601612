import { z } from 'zod';
import { isLabelKey, mapping } from './fieldKinds.js';
import type { Problem } from './mistake.js';
import { valueAt } from './writtenContent.js';

const text = z.string({ error: 'expected a text' });

/** Value of a label (apimachinery, util/validation, IsValidLabelValue). */
const labelValue = text.regex(/^(?=.{0,63}$)([A-Za-z0-9]([-A-Za-z0-9_.]*[A-Za-z0-9])?)?$/, {
  error: 'expected the value of a label: at most 63 letters, digits, -, _ and ., a letter or digit first and last',
});

const entries = (description: string, value: z.ZodType<string>) =>
  z.record(z.string(), value, { error: 'expected a mapping of texts' }).describe(description);

/** `spec.duringTurn`: what a node carries while it has its turn. */
export const duringTurnSchema = mapping(
  'Set on the node with its cordon; former values are restored with the uncordon.',
  {
    annotations: entries('Annotations.', text).optional(),
    labels: entries('Labels.', labelValue).optional(),
  },
);

/** Keys that no playbook may set during a turn, or that no server would take. */
export function wrongDuringTurnKeys(content: unknown): Problem[] {
  const exclude = valueAt(content, ['spec', 'nodes', 'exclude']);
  return ['annotations', 'labels'].flatMap((kind) => {
    const path = ['spec', 'duringTurn', kind];
    const map = valueAt(content, path);
    if (typeof map !== 'object' || map === null || Array.isArray(map)) return [];
    return Object.keys(map).flatMap((key): Problem[] => {
      const message = wrongKey(key) ?? (key === exclude ? excluding : undefined);
      return message === undefined ? [] : [{ path: [...path, key], at: 'key', message }];
    });
  });
}

/** A node that excludes itself by its own turn would be left out in the middle of it. */
const excluding = 'is spec.nodes.exclude, which takes a node out of the playbook; choose another key';

function wrongKey(key: string): string | undefined {
  if (!isLabelKey(key)) return 'is no key; expected one such as cluster-autoscaler.kubernetes.io/scale-down-disabled';
  if (/^([^/]*\.)?turnus\.dev\//.test(key))
    return 'is a key of turnus.dev, which Turnus writes itself; choose another key';
  // Volumes and pods are bound to a node by it.
  if (key === 'kubernetes.io/hostname') return 'names the node to its pods and volumes; choose another key';
  return undefined;
}
