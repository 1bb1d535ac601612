import { setMaxListeners } from 'node:events';
import { describe, expect, it } from 'vitest';
import { checkNodes, type HostsProgress, type NodeExamination } from '../../src/doctor/nodeChecks.js';
import type { Inventory } from '../../src/doctor/readInventory.js';
import type { HostAnswer, HostFacts, HostPort } from '../../src/host/hostPort.js';
import { loadPlaybook } from '../../src/playbook/loadPlaybook.js';
import type { Playbook } from '../../src/playbook/playbook.js';
import { TurnusError } from '../../src/turnusError.js';
import { goodFiles } from '../cli/runTurnus.js';
import { node, pod } from '../drain/clusterFixtures.js';
import { createJumpingClock } from '../host/jumpingClock.js';
import { createScriptedHost } from '../host/scriptedHost.js';

const never = new AbortController().signal;
setMaxListeners(100, never);

async function playbook(): Promise<Playbook> {
  const files: Readonly<Record<string, string>> = goodFiles;
  const answer = await loadPlaybook({
    now: 0,
    file: 'monthly.yaml',
    homeDirectory: '/nonexistent',
    readFile: (path) =>
      Promise.resolve({ kind: 'ok', bytes: Buffer.from(files[path.split('/').at(-1) ?? ''] ?? '') } as const),
  });
  if (answer.kind !== 'ok') throw new Error('the playbook is invalid');
  return answer.playbook;
}

/** A host that answers as its node does, or only when it is no longer waited for. */
function host(name: string, isSilent: boolean): HostPort {
  const value: HostFacts = {
    bootId: `boot-of-${name}`,
    user: 'maintenance',
    root: true,
    hostKeyFingerprint: 'SHA256:abc',
    systemd: true,
    kernel: '6.1',
    freeBytes: 2 ** 40,
    automaticReboot: undefined,
    clockMs: 0,
    missingPrograms: [],
    rebootCommand: 'reboot',
    jobsInMemory: false,
  };
  return {
    ...createScriptedHost({}),
    inspect: (signal) =>
      isSilent
        ? new Promise<HostAnswer<HostFacts>>((_resolve, reject) => {
            signal.addEventListener('abort', () => {
              reject(signal.reason as Error);
            });
          })
        : Promise.resolve({ kind: 'ok', value }),
    check: () => Promise.resolve({ kind: 'ok', value: { exitCode: 0, output: '' } }),
  };
}

const names = Array.from({ length: 40 }, (_, index) => `node-${String(index + 1).padStart(2, '0')}`);
const inventory: Inventory = {
  nodes: { kind: 'ok', value: [...names.map((name) => node(name)), node('control')] },
  pods: {
    kind: 'ok',
    value: [pod('etcd-control', { namespace: 'kube-system', nodeName: 'control', mirror: true })],
  },
  daemonSets: { kind: 'ok', value: [] },
};

async function examination(changes: Partial<NodeExamination> = {}): Promise<NodeExamination> {
  return {
    playbook: await playbook(),
    openHosts: () => Promise.reject(new Error('not asked in this test')),
    clock: createJumpingClock(),
    names: [],
    selector: undefined,
    onHosts: () => undefined,
    ...changes,
  };
}

describe('the hosts of the nodes', () => {
  it('are asked in parallel, and one that is silent is reported when its time is over', async () => {
    const clock = createJumpingClock();
    const seen: HostsProgress[] = [];
    let toldAll: () => void = () => undefined;
    const othersAnswered = new Promise<void>((resolve) => {
      toldAll = resolve;
    });
    let closed = 0;
    const checking = checkNodes(
      await examination({
        clock,
        openHosts: () =>
          Promise.resolve({
            hostOf: ({ name }) => host(name, name === 'node-03'),
            close: () => {
              closed += 1;
            },
          }),
        onHosts: (progress) => {
          seen.push(progress);
          if (progress.answered === names.length - 1) toldAll();
        },
      }),
      inventory,
      never,
    );
    await othersAnswered;
    expect(clock.monotonic()).toBe(0);
    expect(seen.at(-1)).toEqual({ total: 40, answered: 39, waiting: ['node-03'] });
    expect(Math.max(...seen.map(({ waiting }) => waiting.length))).toBe(16);
    await clock.sleep(30_000, never);
    const checks = await checking;
    expect(checks[0]).toMatchObject({
      subject: { kind: 'cluster' },
      check: 'nodes',
      state: 'ok',
      message: 'The playbook selects 40 of the 41 nodes of the cluster.',
    });
    const failed = checks.filter(({ state }) => state === 'failed');
    expect(failed).toMatchObject([
      {
        subject: { kind: 'host', node: 'node-03' },
        check: 'reachable',
        message: expect.stringContaining('no answer within 30 s') as string,
      },
    ]);
    expect(new Set(checks.flatMap(({ subject }) => (subject.kind === 'host' ? [subject.node] : [])))).toEqual(
      new Set(names),
    );
    expect(closed).toBe(1);
  });

  it('are not asked where nothing here can log in to them, and that is a check that fails', async () => {
    const missing = new TurnusError({ code: 'identity-none', message: 'No key and no agent', hint: 'Start an agent.' });
    const checks = await checkNodes(await examination({ openHosts: () => Promise.reject(missing) }), inventory, never);
    expect(checks).toMatchObject([
      { check: 'nodes', state: 'ok' },
      {
        check: 'ssh-setup',
        state: 'failed',
        message: 'No key and no agent. No host was asked.',
        hint: 'Start an agent.',
      },
    ]);
  });

  it('end with the signal', async () => {
    const stopping = new AbortController();
    setMaxListeners(100, stopping.signal);
    const checking = checkNodes(
      await examination({
        openHosts: () => Promise.resolve({ hostOf: ({ name }) => host(name, true), close: () => undefined }),
        onHosts: ({ waiting }) => {
          if (waiting.length === 16) stopping.abort(new Error('stopped'));
        },
      }),
      inventory,
      stopping.signal,
    );
    await expect(checking).rejects.toThrow('stopped');
  });
});

describe('the nodes', () => {
  it('that cannot be listed, or of which none is selected, fail without asking a host', async () => {
    const unlisted = { ...inventory, nodes: { kind: 'forbidden', message: 'anna may not list nodes' } as const };
    expect(await checkNodes(await examination(), unlisted, never)).toMatchObject([
      { check: 'nodes', state: 'failed', message: expect.stringContaining('anna may not list nodes') as string },
    ]);
    const none = { ...inventory, nodes: { kind: 'ok', value: [node('control')] } as const };
    expect(await checkNodes(await examination(), none, never)).toMatchObject([{ check: 'nodes', state: 'failed' }]);
  });

  it('to which the call is narrowed must be there', async () => {
    const narrowed = await examination({ names: ['node-99'] });
    await expect(checkNodes(narrowed, inventory, never)).rejects.toMatchObject({ code: 'node-not-selected' });
  });
});
