import { recordEvent } from '../cluster/event.js';
import type { NodeView } from '../cluster/view.js';
import type { HostPort } from '../host/hostPort.js';
import type { Journal } from '../journal/entry.js';
import type { Conducting } from './conducting.js';
import { fitsWindow } from './fitsWindow.js';
import { addressOf } from './hostAddress.js';
import { leftShortFor } from './leftDisplaced.js';
import { apiVersion } from './objects.js';
import { timestamp, type TurnContext } from './turnContext.js';

/** What the steps of this node's turn work with; `close` ends the connection to its host, and waits for its events. */
export function openTurn(work: Conducting, node: NodeView): { turn: TurnContext; close: () => Promise<void> } {
  const { store, clock, cluster, journal, signal } = work;
  const { name, uid, spec } = store.state();
  const nodeName = node.name;
  const host = hostOf(work, node);
  const subjects = [
    { apiVersion: 'v1', kind: 'Node', name: nodeName, uid: node.uid },
    { apiVersion, kind: 'MaintenanceRun', name, namespace: work.namespace, uid },
  ];
  let announced: Promise<unknown> = Promise.resolve();
  let defect: Error | undefined;
  const status = () => store.state().turns.get(nodeName)?.status ?? { phase: 'Pending' };
  const turn: TurnContext = {
    run: { name, uid, rehearsal: spec.rehearsal },
    playbook: work.playbook,
    nodeName,
    restartedAs: name,
    ownNode: work.ownNode,
    signal,
    cluster,
    cache: work.cache,
    get host() {
      if (host === undefined) throw new Error(`a rehearsal asked the host of ${nodeName}`);
      return host;
    },
    clock,
    evictions: work.evictions,
    evictedControllers: new Set(),
    services: undefined,
    leftShort: () => leftShortFor(store.state().turns.values(), nodeName),
    stillFits: () => fitsWindow(work, nodeName),
    fence: work.fence,
    status,
    save: async (change) => {
      await store.saveTurn(nodeName, change, signal);
    },
    note: (change) => {
      store.noteTurn(nodeName, change);
    },
    waiting: (wait, progress) => {
      const before = status().waitingFor;
      const since = before?.what === wait?.what ? before?.since : undefined;
      store.showWait(
        nodeName,
        wait && {
          what: wait.what,
          since: since ?? timestamp(clock),
          until: wait.untilMs === undefined ? undefined : new Date(wait.untilMs).toISOString(),
          who: wait.who,
        },
        progress,
      );
    },
    rereadDesired: async (stop) => {
      const answer = await store.reread(stop);
      if (answer.kind !== 'ok') return answer;
      store.observe(answer.value);
      work.control.observe(answer.value);
      work.window.look();
      stop.throwIfAborted();
      return undefined;
    },
    record: async (record) => {
      await journal.append(record);
    },
    anchor: async () => {
      await store.saveRun({ journal: headOf(journal) }, signal);
    },
    announce: (event) => {
      for (const about of subjects) {
        announced = announced
          .then(() => recordEvent({ cluster, clock, about, signal, ...event }))
          .catch((error: unknown) => {
            if (!signal.aborted) defect = new Error('an event could not be made', { cause: error });
          });
      }
    },
  };
  const close = async () => {
    host?.disconnect();
    await announced;
    if (defect !== undefined) throw defect;
  };
  return { turn, close };
}

function hostOf(work: Conducting, node: NodeView): HostPort | undefined {
  const address = addressOf(node, work.playbook.host.ssh.address) ?? node.name;
  return work.hosts?.hostOf({ name: node.name, address });
}

/** The journal's head as the run's status keeps it. */
export function headOf(journal: Journal): { seq: number; head: string } {
  const { seq, hash } = journal.head();
  return { seq, head: hash };
}
