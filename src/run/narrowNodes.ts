import { matchesLabels, parseLabelSelector } from '../cluster/labelSelector.js';
import type { NodeView } from '../cluster/view.js';
import { TurnusError } from '../turnusError.js';

/**
 * The nodes that `--node` and `-l` leave of the playbook's for this call; undefined where neither was given.
 *
 * @throws TurnusError `node-not-selected`, `selector-invalid`, `no-nodes`
 */
export function narrowNodes(narrowing: {
  readonly playbook: string;
  readonly selected: readonly NodeView[];
  readonly names: readonly string[];
  readonly selector: string | undefined;
}): ReadonlySet<string> | undefined {
  const { playbook, selected, names, selector } = narrowing;
  if (names.length === 0 && selector === undefined) return undefined;
  const unknown = names.filter((name) => !selected.some((node) => node.name === name));
  if (unknown.length > 0) {
    throw new TurnusError({
      code: 'node-not-selected',
      message: `${unknown.join(', ')}: no such node among those that the playbook ${playbook} selects.`,
      hint: `It selects: ${selected.map((node) => node.name).join(', ') || 'none'}.`,
    });
  }
  const parsed = parseLabelSelector(selector ?? '');
  if (parsed.kind === 'invalid') {
    throw new TurnusError({ code: 'selector-invalid', message: `--selector ${selector ?? ''}: ${parsed.message}` });
  }
  const only = selected
    .filter((node) => names.length === 0 || names.includes(node.name))
    .filter((node) => matchesLabels(parsed.selector, node.labels));
  if (only.length === 0) {
    throw new TurnusError({
      code: 'no-nodes',
      message: `--selector ${selector ?? ''} matches no node of the playbook ${playbook}.`,
      hint: 'kubectl get nodes -l SELECTOR shows what a selector matches.',
    });
  }
  return new Set(only.map((node) => node.name));
}
