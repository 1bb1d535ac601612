import { z } from 'zod';
import { isLabelKey, mapping } from './fieldKinds.js';

/** Value of a label: apimachinery, util/validation, IsValidLabelValue. */
const labelValue = /^(?=.{0,63}$)([A-Za-z0-9]([-A-Za-z0-9_.]*[A-Za-z0-9])?)?$/;

/** What keeps a key from being set during a turn; undefined where nothing does. */
function wrongKey(key: string): string | undefined {
  if (!isLabelKey(key)) return 'expected a key such as cluster-autoscaler.kubernetes.io/scale-down-disabled';
  if (/^([^/]*\.)?turnus\.dev\//.test(key))
    return 'keys of turnus.dev are written by Turnus itself; choose another key';
  // Volumes and pods are bound to a node by it.
  if (key === 'kubernetes.io/hostname') return 'names the node to its pods and volumes; choose another key';
  return undefined;
}

const entries = (description: string, wrongValue: (value: string) => string | undefined) =>
  z
    .record(z.string(), z.string({ error: 'expected a text' }), { error: 'expected a mapping of texts' })
    .superRefine((map, context) => {
      for (const [key, value] of Object.entries(map)) {
        const message = wrongKey(key) ?? wrongValue(value);
        if (message !== undefined) context.addIssue({ code: 'custom', path: [key], message });
      }
    })
    .describe(description);

/** `spec.duringTurn`: what a node carries while it has its turn. */
export const duringTurnSchema = mapping(
  'Set on the node with its cordon; former values are restored with the uncordon.',
  {
    annotations: entries('Annotations.', () => undefined).optional(),
    labels: entries('Labels.', (value) =>
      labelValue.test(value)
        ? undefined
        : 'expected the value of a label: at most 63 letters, digits, -, _ and ., a letter or digit first and last',
    ).optional(),
  },
);
