import { lastTurnOf, type LastTurn } from '../cluster/marks.js';
import type { NodeVersions, NodeView } from '../cluster/view.js';
import { stages } from './stages.js';
import type { TurnPhase, TurnStatus } from './state.js';

/** A run as the cluster keeps it, with its turns. */
export interface RecordedRun {
  readonly name: string;
  readonly playbook: string;
  readonly rehearsal: boolean;
  /** Milliseconds since the epoch, by the API server's clock. */
  readonly createdAt: number;
  readonly phase: string;
  /** Node names in the order of their turns. */
  readonly order: readonly string[];
  readonly turns: readonly RecordedTurn[];
}

export interface RecordedTurn {
  readonly node: string;
  readonly nodeUid: string;
  /** Milliseconds since the epoch, by the API server's clock. */
  readonly createdAt: number;
  readonly status: TurnStatus;
}

/** A turn that a node has had to its end, for one playbook. */
export interface CompletedTurn {
  /** When the node was given back; milliseconds since the epoch. */
  readonly at: number;
  readonly run: string;
  /** The NodeTurn, or the node's annotation `turnus.dev/last-turn`, which outlives its run. */
  readonly knownBy: 'turn' | 'annotation';
  /** As the turn recorded them; undefined where it did not, or is gone. */
  readonly versionsBefore: NodeVersions | undefined;
  readonly versionsAfter: NodeVersions | undefined;
  /** `version.<name>` as the scripts of the turn answered. */
  readonly scriptVersions: Readonly<Record<string, string>>;
}

/** What lies further ahead than clocks differ has not happened, and a mark that is older than its node is of another one. */
const clocksDifferByMs = 3_600_000;

/**
 * The last turn of a playbook that this very machine has had to its end: the later of a Done NodeTurn that carries the
 * node's UID and of the node's annotation. Where both tell of one turn, the annotation tells when. Rehearsals never
 * count. Undefined where there is none.
 */
export function lastCompletedTurn(asked: {
  readonly playbook: string;
  readonly node: NodeView;
  /** Of any playbook. */
  readonly runs: readonly RecordedRun[];
  readonly now: number;
}): CompletedTurn | undefined {
  const { playbook, node, now } = asked;
  const turns = asked.runs
    .filter((run) => run.playbook === playbook && !run.rehearsal)
    .flatMap((run) =>
      run.turns
        .filter((turn) => turn.node === node.name && turn.nodeUid === node.uid)
        .map(({ status }) => ({ run: run.name, status })),
    );
  const mark = markOfThisMachine(node, playbook);
  const done = turns.flatMap(({ run, status }): CompletedTurn[] => {
    const finishedAt = Date.parse(status.finishedAt ?? '');
    // One without an end was done in another run, which has its own record.
    if (status.phase !== 'Done' || Number.isNaN(finishedAt)) return [];
    // Where its actor died after the uncordon, a turn may be found Done weeks after the maintenance.
    const at = mark?.run === run ? Math.min(mark.time, finishedAt) : finishedAt;
    return [{ at, run, knownBy: 'turn', ...versionsOf(status) }];
  });
  const marked: CompletedTurn[] =
    mark === undefined || done.some(({ run }) => run === mark.run)
      ? []
      : [
          {
            at: mark.time,
            run: mark.run,
            knownBy: 'annotation',
            ...versionsOf(turns.find(({ run, status }) => run === mark.run && isGivenBack.has(status.phase))?.status),
          },
        ];
  return [...done, ...marked]
    .filter(({ at }) => at <= now + clocksDifferByMs)
    .reduce<CompletedTurn | undefined>(
      (last, turn) => (last === undefined || turn.at > last.at ? turn : last),
      undefined,
    );
}

function markOfThisMachine(node: NodeView, playbook: string): LastTurn | undefined {
  const mark = lastTurnOf(node);
  if (mark === undefined || !isRunOf(playbook, mark.run)) return undefined;
  return mark.time + clocksDifferByMs < node.createdAt ? undefined : mark;
}

/** The mark is set with the uncordon, a little before the turn is Done. */
const isGivenBack: ReadonlySet<string> = new Set<TurnPhase>(['Uncordoning', 'Settling']);

/** Whether a run of this name is one of the playbook (DESIGN: `<playbook>-<yyyy-mm>`, `-x<n>` ad hoc) and no rehearsal. */
function isRunOf(playbook: string, run: string): boolean {
  return run.startsWith(`${playbook}-`) && /^\d{4}-\d{2}(-x\d+)?$/.test(run.slice(playbook.length + 1));
}

function versionsOf(status: TurnStatus | undefined) {
  const answers = stages.map((stage) => status?.jobs?.[stage]?.versions ?? {});
  return {
    versionsBefore: status?.versionsBefore,
    versionsAfter: status?.versionsAfter,
    scriptVersions: Object.assign({}, ...answers) as Readonly<Record<string, string>>,
  };
}
