import { createHash } from 'node:crypto';
import type { Finding } from '../../gates/finding.js';
import type { Plan } from '../../run/plan.js';
import { withoutSecrets } from '../log/withoutSecrets.js';
import type { CloudEventData } from './cloudEvent.js';

/** Findings that are told, and characters that they may take together: a message that no receiver takes helps nobody. */
const mostFindings = 200;
const mostCharacters = 200_000;
const mostObjects = 20;

/**
 * The event `plan.ready`: what will happen in the window to come and what stands in its way, the blocking findings first.
 * The same plan for the same window has the same id, also from another process.
 */
export function planReady(ready: {
  readonly plan: Plan;
  /** Milliseconds since the epoch. */
  readonly window: { readonly opensAt: number; readonly closesAt: number };
  /** When the plan was made; milliseconds since the epoch. */
  readonly now: number;
}): CloudEventData {
  const { plan, now } = ready;
  const opensAt = new Date(ready.window.opensAt).toISOString();
  const closesAt = new Date(ready.window.closesAt).toISOString();
  const verdicts = (verdict: string) => plan.nodes.filter((node) => node.verdict === verdict);
  const findings = distinctFindings(plan);
  const told = fitting(findings.map(toldFinding));
  return {
    type: 'plan.ready',
    id: createHash('sha256').update(`plan.ready ${plan.run} ${plan.hash} ${opensAt}`).digest('hex'),
    time: new Date(now).toISOString(),
    subject: plan.run,
    data: {
      run: plan.run,
      playbook: plan.playbook,
      planHash: plan.hash,
      window: { opensAt, closesAt },
      nodes: {
        total: plan.order.length,
        go: verdicts('goes').length,
        blocked: verdicts('blocked').length,
        done: verdicts('done').length,
      },
      expectedSeconds: Math.round(plan.expectedMs / 1000),
      blocked: verdicts('blocked').map(({ node, findings: of }) => ({
        node,
        codes: [...new Set(of.flatMap(({ code, severity }) => (severity === 'block' ? [code] : [])))],
      })),
      findings: told,
      findingsLeftOut: findings.length - told.length,
    },
  };
}

const weight: Readonly<Record<Finding['severity'], number>> = { block: 0, caution: 1, info: 2 };

/** What is found of the whole cluster is found for each node; it is told once. */
function distinctFindings({ nodes }: Plan): Finding[] {
  const findings = new Map<string, Finding>();
  for (const finding of nodes.flatMap((node) => node.findings)) {
    findings.set(JSON.stringify([finding.code, finding.severity, finding.node, finding.message]), finding);
  }
  return [...findings.values()].sort((one, other) => weight[one.severity] - weight[other.severity]);
}

function toldFinding({ code, severity, node, objects, message, hint }: Finding): Record<string, unknown> {
  return {
    code,
    severity,
    ...(node === undefined ? {} : { node }),
    objects: objects.slice(0, mostObjects),
    message: withoutSecrets(message),
    hint: withoutSecrets(hint),
  };
}

function fitting<T>(findings: readonly T[]): T[] {
  let characters = 0;
  return findings.slice(0, mostFindings).filter((finding) => {
    characters += JSON.stringify(finding).length;
    return characters <= mostCharacters;
  });
}
