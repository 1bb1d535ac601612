import { documentMarkdown, documentText } from '../console/document.js';
import { coverageWarning } from '../console/coverageWarning.js';
import { ownersReport } from '../console/ownersReport.js';
import { planText } from '../console/planText.js';
import { windowText } from '../console/windowText.js';
import { ownersOfFindings } from '../run/ownersOfFindings.js';
import type { Prepared } from '../run/prepareRun.js';
import { TurnusError } from '../turnusError.js';
import { print, type CommandIo } from './io.js';
import { preparePlan, type PlanOptions } from './preparePlan.js';

export interface PlanCommandOptions extends PlanOptions {
  readonly by?: 'owner';
  readonly output: 'text' | 'json' | 'markdown';
}

/**
 * `turnus plan`: order, findings and forecast; with `--by owner`, the findings as their owners need them. Exit 3 where a
 * node cannot have its turn. Changes nothing.
 */
export async function planCommand(io: CommandIo, options: PlanCommandOptions): Promise<number> {
  if (options.output === 'markdown' && options.by === undefined) {
    throw new TurnusError({
      code: 'usage',
      message: 'Markdown is for what is sent to the owners of workloads.',
      hint: 'Add --by owner, or take -o text or -o json.',
    });
  }
  const prepared = await preparePlan(io, { ...options, command: 'plan' });
  try {
    const { plan } = prepared;
    await print(
      io,
      options.by === 'owner'
        ? byOwner(prepared, options.output, io.clock.now())
        : inOrder(prepared, options.output, io.clock.now()),
    );
    return plan.nodes.some((node) => node.verdict === 'blocked') ? 3 : 0;
  } finally {
    await prepared.close();
  }
}

function inOrder({ plan, schedule, playbook }: Prepared, output: PlanCommandOptions['output'], now: number): string {
  if (output === 'json') return JSON.stringify(plan, undefined, 2);
  const lines = planText(plan, windowText({ schedule, plan, now }));
  return [...lines, ...coverageWarning({ playbook, plan, now })].join('\n');
}

function byOwner({ plan, view }: Prepared, output: PlanCommandOptions['output'], now: number): string {
  if (view === undefined) throw new Error('a plan holds the view that it was made on');
  const findings = ownersOfFindings(view, plan.nodes);
  if (output === 'json') {
    const nodes = plan.nodes.map(({ node, verdict, expectedMs, basis }) => ({ node, verdict, expectedMs, basis }));
    return JSON.stringify({ ...plan, nodes, byOwner: findings }, undefined, 2);
  }
  const blocks = ownersReport(plan, findings, now);
  return (output === 'markdown' ? documentMarkdown(blocks) : documentText(blocks)).join('\n');
}
