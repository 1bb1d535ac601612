import { planText } from '../console/planText.js';
import { print, type CommandIo } from './io.js';
import { preparePlan, type PlanOptions } from './preparePlan.js';

/** `turnus plan`: order, findings and forecast; exit 3 where a node cannot have its turn. Changes nothing. */
export async function planCommand(
  io: CommandIo,
  options: PlanOptions & { readonly output: 'text' | 'json' },
): Promise<number> {
  const prepared = await preparePlan(io, { ...options, command: 'plan' });
  try {
    const { plan } = prepared;
    await print(io, options.output === 'json' ? JSON.stringify(plan, undefined, 2) : planText(plan).join('\n'));
    return plan.nodes.some((node) => node.verdict === 'blocked') ? 3 : 0;
  } finally {
    await prepared.close();
  }
}
