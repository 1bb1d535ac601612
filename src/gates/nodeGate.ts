import { cordonedByOf, holdOf, marks } from '../cluster/marks.js';
import type { NodeView } from '../cluster/view.js';
import type { Finding } from './finding.js';

/** Is the node itself in a state to begin (or go on) with? Ready, not held, not cordoned by somebody else. */
export function nodeGate({
  node,
  run,
  acceptsUnmarkedCordon = false,
}: {
  readonly node: NodeView;
  /** What our own cordon would be marked with; undefined where there is none of ours. */
  readonly run: string | undefined;
  /** A cordon that carries no mark is the asker's own. */
  readonly acceptsUnmarkedCordon?: boolean | undefined;
}): readonly Finding[] {
  const name = `Node ${node.name}`;
  const block = (finding: Pick<Finding, 'code' | 'message' | 'hint'>): Finding => ({
    ...finding,
    severity: 'block',
    node: node.name,
    objects: [name],
  });
  const findings: Finding[] = [];
  const hold = holdOf(node);
  if (hold !== undefined) {
    findings.push(
      block({
        code: 'node-held',
        message: `${name} is held by a person: ${hold === '' ? 'no reason given' : hold}.`,
        hint: `When it may go on: kubectl annotate node ${node.name} ${marks.hold}-`,
      }),
    );
  }
  const owner = cordonedByOf(node);
  const isAccepted = owner === undefined ? acceptsUnmarkedCordon : owner === run;
  if (node.unschedulable && !isAccepted) {
    findings.push(block({ code: 'already-cordoned', ...foreignCordon(node.name, owner) }));
  }
  if (!node.ready) {
    findings.push(
      block({
        code: 'node-not-ready',
        message: `${name} is not Ready before its turn: ${node.notReadyReason ?? 'no reason given'}.`,
        hint: 'Repair the node first: its pods could not end, and nobody could tell whether the maintenance broke it.',
      }),
    );
  }
  return findings;
}

/** `turnus drain` marks its cordon so, followed by who asked for it. */
const drainMark = 'drain/';

function foreignCordon(node: string, owner: string | undefined): Pick<Finding, 'message' | 'hint'> {
  const uncordon = `kubectl uncordon ${node}`;
  const message = (who: string) => `Node ${node} is cordoned by ${who}; Turnus never takes over the cordon of another.`;
  if (owner === undefined) {
    return {
      message: message('somebody else'),
      hint: `Find out who works on it; when that is done: ${uncordon}`,
    };
  }
  const clear = `${uncordon} && kubectl annotate node ${node} ${marks.cordonedBy}-`;
  if (owner.startsWith(drainMark)) {
    const who = owner.slice(drainMark.length);
    return { message: message(`turnus drain of ${who}`), hint: `When ${who} is done with it: ${clear}` };
  }
  return {
    message: message(`run ${owner} (annotation ${marks.cordonedBy})`),
    hint: `turnus status ${owner} says how that run gives the node back. If the run was deleted, look at the machine first, then: ${clear}`,
  };
}
