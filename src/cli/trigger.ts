import { randomUUID } from 'node:crypto';
import type { ClusterPort } from '../cluster/clusterPort.js';
import { isObjectName } from '../cluster/objectName.js';
import { permissionsFor } from '../install/accessRules.js';
import { readInstallation } from '../install/installation.js';
import { refusalPrefix } from '../run/ask.js';
import { playbookResource } from '../run/objects.js';
import { readUserName, refuseMissingPermissions, refuseUnreachable } from '../run/preconditions.js';
import { awaitTriggerAnswer, putTrigger, type TriggerPlace } from '../run/putTrigger.js';
import { triggerAnnotations, type Trigger, type TriggerAnswer } from '../run/trigger.js';
import { TurnusError } from '../turnusError.js';
import { connectCluster } from './connectCluster.js';
import { say, type ClusterOptions, type CommandIo } from './io.js';

export interface TriggerOptions extends ClusterOptions {
  readonly reason: string;
  readonly overrideFreeze: readonly string[];
  readonly replace?: true;
  /** Milliseconds. */
  readonly startWithin: number;
}

/** Playbooks that an unknown name is answered with. */
const mostPlaybooks = 10;

/**
 * `turnus trigger`: writes onto a Playbook object that a run of it is to start, and waits a moment for the answer of
 * `turnus serve`. Acts on no node itself. Exit 0 where it is recorded, 2 where there is no such playbook or it is refused.
 */
export async function triggerCommand(io: CommandIo, name: string, options: TriggerOptions): Promise<number> {
  const reason = options.reason.trim();
  if (reason === '') {
    throw new TurnusError({
      code: 'usage',
      message: 'A trigger starts a run outside of the windows too, and the record needs to say why.',
      hint: 'Give --reason TEXT.',
    });
  }
  const cluster = await connectCluster(io, { ...options, command: 'trigger' });
  const { signal } = new AbortController();
  try {
    await refuseUnreachable(cluster, signal);
    const { namespace } = await readInstallation(cluster, signal);
    await refuseMissingPermissions({ cluster, wanted: permissionsFor('trigger', namespace) }, signal);
    const by = await readUserName(cluster, signal);
    const trigger: Trigger = {
      id: randomUUID(),
      by,
      reason,
      overrideFreezes: options.overrideFreeze,
      replace: options.replace === true,
      startBefore: io.clock.now() + options.startWithin,
    };
    const place = { cluster, clock: io.clock, namespace, name };
    const put = isObjectName(name) ? await putTrigger(place, trigger, signal) : { kind: 'no-playbook' as const };
    if (put.kind === 'no-playbook') throw await unknownPlaybook({ cluster, namespace, name }, signal);
    say(io, `Recorded: a run of playbook ${name} is to start, asked for by ${by}.`);
    if (put.replaced !== undefined)
      say(
        io,
        `It takes the place of what ${put.replaced.by} asked for (${put.replaced.reason}), which nobody answered.`,
      );
    const answer = await awaitTriggerAnswer(place, trigger.id, signal);
    for (const line of answer === undefined ? nobodyLines(place, trigger) : answerLines(answer)) say(io, line);
    return answer?.answer.startsWith(refusalPrefix) === true ? 2 : 0;
  } finally {
    cluster.close();
  }
}

function answerLines({ answer, run }: TriggerAnswer): string[] {
  return [`Answered: ${answer}`, ...(run === undefined ? [] : [`See it with: turnus status ${run}`])];
}

/** The run would start as soon as somebody serves, so that it is said how to take it back. */
function nobodyLines({ namespace, name }: TriggerPlace, { startBefore }: Trigger): string[] {
  const annotations = Object.values(triggerAnnotations).map((annotation) => `${annotation}-`);
  return [
    `Nobody has answered: no \`turnus serve\` is at work at the moment. It starts as soon as one is${startBefore === undefined ? '' : `, at the latest at ${new Date(startBefore).toISOString()}`}.`,
    `Take it back with: kubectl -n ${namespace} annotate playbooks.turnus.dev ${name} ${annotations.join(' ')}`,
  ];
}

async function unknownPlaybook(
  place: { readonly cluster: ClusterPort; readonly namespace: string; readonly name: string },
  signal: AbortSignal,
): Promise<TurnusError> {
  const { cluster, namespace, name } = place;
  const listed = await cluster.list({ resource: playbookResource, namespace }, signal);
  return new TurnusError({
    code: 'unknown-playbook',
    message: `There is no Playbook ${JSON.stringify(name)} in namespace ${namespace} of ${cluster.target.server}.`,
    hint:
      listed.kind === 'ok'
        ? whichThereAre(listed.value.items.map(({ metadata }) => metadata.name ?? ''))
        : 'A playbook that is a file is started with: turnus run -f PLAYBOOK --now --reason TEXT',
  });
}

function whichThereAre(names: readonly string[]): string {
  if (names.length === 0)
    return 'There is no Playbook object at all; a playbook that is a file is started with: turnus run -f PLAYBOOK --now --reason TEXT';
  const more = names.length > mostPlaybooks ? `, and ${String(names.length - mostPlaybooks)} more` : '';
  return `There are: ${names.slice(0, mostPlaybooks).join(', ')}${more}.`;
}
