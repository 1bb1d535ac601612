import { describe, expect, it } from 'vitest';
import type { ApiObject } from '../../src/cluster/clusterPort.js';
import { marks } from '../../src/cluster/marks.js';
import { resources } from '../../src/cluster/resources.js';
import { steerTaint } from '../../src/cluster/steerTaint.js';
import { openJournal } from '../../src/journal/openJournal.js';
import type { JournalEntry, JournalRecord } from '../../src/journal/entry.js';
import { runFinalizer, runResource, turnResource } from '../../src/run/objects.js';
import type { TurnStatus } from '../../src/run/state.js';
import { handmadeNight, type HandmadeNight, type NightParts } from './invariants/handmadeNight.js';
import { invariants } from './invariants/nightWatch.js';
import type { NightWorkload } from './night.js';
import { turnLabel } from './troubles.js';
import { VirtualTime } from './virtualTime.js';

const run = 'monthly-2026-10';
const web: NightWorkload = { name: 'web', namespace: 'shop', kind: 'Deployment', replicas: 2, startMs: 1, stopMs: 1 };
const mark = `/metadata/annotations/${marks.cordonedBy.replace('/', '~1')}`;

describe('each invariant', () => {
  const told = new Set<string>();

  /** Plays a bad history and expects this invariant to complain, and a good one of which it says nothing. */
  function complains(
    name: string,
    how: string,
    { bad, good, ...parts }: NightParts & { readonly bad: History; readonly good: History },
  ): void {
    told.add(name);
    it(`complains: ${how} (${name})`, async () => {
      expect(await violationsOf(bad, parts)).toContain(name);
      expect(await violationsOf(good, parts)).not.toContain(name);
    });
  }

  complains('max-unavailable-holds', 'a node is cordoned while another of ours is out', {
    bad: (night) => {
      cordonByUs(night, 'node-1');
      cordonByUs(night, 'node-2');
    },
    good: (night) => {
      cordonByUs(night, 'node-1');
      uncordonByUs(night, 'node-1');
      cordonByUs(night, 'node-2');
    },
  });

  complains('max-unavailable-holds', 'a node is cordoned while another comes back from our reboot', {
    bad: (night) => {
      night.store(resources.nodes, node('node-1', { ready: false }));
      night.onHost({ kind: 'went-down', node: 'node-1', asked: true });
      cordonByUs(night, 'node-2');
    },
    good: (night) => {
      night.onHost({ kind: 'went-down', node: 'node-1', asked: true });
      night.store(resources.nodes, node('node-1'));
      cordonByUs(night, 'node-2');
    },
  });

  complains('last-replica-stays', 'the last Ready replica is evicted', {
    bad: (night) => {
      twoReplicas(night, { otherReady: false });
      evict(night, pod('web-1', 'node-1'));
    },
    good: (night) => {
      twoReplicas(night, { otherReady: true });
      evict(night, pod('web-1', 'node-1'));
    },
  });

  complains('last-replica-stays', 'two replicas are evicted side by side and none is left', {
    bad: (night) => {
      twoReplicas(night, { otherReady: true });
      evict(night, pod('web-1', 'node-1'));
      evict(night, pod('web-2', 'node-2'));
    },
    // The actor could not know that the other had stopped being Ready.
    good: (night) => {
      twoReplicas(night, { otherReady: true });
      night.store(resources.pods, pod('web-2', 'node-2', { ready: false }));
      evict(night, pod('web-1', 'node-1'));
    },
  });

  complains('last-replica-stays', 'fewer replicas are left than its namespace keeps', {
    playbook: { namespaceSpread: [{ namespace: 'shop', minReadyElsewhere: '100%' }] },
    bad: (night) => {
      twoReplicas(night, { otherReady: true, desired: 3 });
      evict(night, pod('web-1', 'node-1'));
    },
    good: (night) => {
      twoReplicas(night, { otherReady: true, desired: 3 });
      night.store(resources.pods, pod('web-3', 'node-3'), ['one']);
      evict(night, pod('web-1', 'node-1'));
    },
  });

  complains('singletons-stay-up', 'a singleton is evicted that could have been surged', {
    playbook: { singletons: 'surge' },
    bad: (night) => {
      singleton(night);
      evict(night, pod('web-1', 'node-1'));
    },
    good: (night) => {
      singleton(night);
      night.store(resources.pods, pod('web-2', 'node-2'), ['one']);
      evict(night, pod('web-1', 'node-1'));
    },
  });

  complains('last-replica-stays', 'a singleton is evicted that may not be moved', {
    playbook: { namespaceSpread: [{ namespace: 'shop', singletons: 'block' }] },
    bad: (night) => {
      twoReplicas(night, { otherReady: false, desired: 1 });
      evict(night, pod('web-1', 'node-1'));
    },
    good: (night) => {
      twoReplicas(night, { otherReady: true, desired: 1 });
      evict(night, pod('web-1', 'node-1'));
    },
  });

  complains('last-backend-stays', 'the last pod behind a webhook is evicted', {
    bad: (night) => {
      twoBackends(night, { otherReady: false });
      evict(night, backend('hook-1', 'node-1'));
    },
    good: (night) => {
      twoBackends(night, { otherReady: true });
      evict(night, backend('hook-1', 'node-1'));
    },
  });

  complains('overrides-are-kept', 'a pod is evicted that the playbook leaves on its node', {
    workloads: [{ ...web, treatment: 'leave' }],
    bad: (night) => {
      twoReplicas(night, { otherReady: true });
      evict(night, pod('web-1', 'node-1'));
    },
    good: (night) => {
      twoReplicas(night, { otherReady: true });
    },
  });

  complains('singletons-stay-up', 'a restart changes more than the mark', {
    playbook: { singletons: 'surge' },
    bad: (night) => {
      singleton(night);
      restart(night, singletonOwner({ mark: `${run}/node-1`, replicas: 2 }));
    },
    good: (night) => {
      singleton(night);
      restart(night, singletonOwner({ mark: `${run}/node-1` }));
      restart(night, singletonOwner({ mark: `${run}/node-2` }));
    },
  });

  complains('singletons-stay-up', 'a restart ends the last Ready pod', {
    playbook: { singletons: 'surge' },
    bad: (night) => {
      singleton(night);
      restart(night, singletonOwner({ mark: `${run}/node-1` }));
      endedByController(night, pod('web-1', 'node-1'));
    },
    good: (night) => {
      singleton(night);
      restart(night, singletonOwner({ mark: `${run}/node-1` }));
      night.store(resources.pods, pod('web-2', 'node-2'));
      endedByController(night, pod('web-1', 'node-1'));
    },
  });

  complains('refused-evictions-rest', 'an eviction that the budget refused is sent again at once', {
    bad: (night) => {
      evictRefused(night);
      night.wait(900);
      evictRefused(night);
    },
    good: (night) => {
      evictRefused(night);
      night.wait(100);
      night.tell('one', resources.budgets, budget('2'));
      evictRefused(night);
      night.wait(2000);
      evictRefused(night);
    },
  });

  complains('refused-evictions-rest', 'the second pause is not longer than the first', {
    bad: (night) => {
      evictRefused(night);
      night.wait(1000);
      evictRefused(night);
      night.wait(1000);
      evictRefused(night);
    },
    good: (night) => {
      evictRefused(night, { kind: 'throttled', retryAfterMs: 3000 });
      night.wait(3000);
      evictRefused(night);
    },
  });

  complains('evictions-name-their-pod', 'an eviction has no UID', {
    bad: (night) => {
      cordonByUs(night, 'node-1');
      night.store(resources.pods, pod('web-1', 'node-1'), ['one']);
      night.call({ verb: 'evict', request: { namespace: 'shop', name: 'web-1' } }, { kind: 'accepted' });
    },
    good: (night) => {
      cordonByUs(night, 'node-1');
      night.store(resources.pods, pod('web-1', 'node-1'), ['one']);
      evict(night, pod('web-1', 'node-1'));
    },
  });

  complains('evictions-name-their-pod', 'a pod of a node in service is evicted', {
    bad: (night) => {
      night.store(resources.nodes, node('node-1'), ['one']);
      night.store(resources.pods, pod('web-1', 'node-1'), ['one']);
      evict(night, pod('web-1', 'node-1'));
    },
    good: (night) => {
      cordonByUs(night, 'node-1');
      night.tell('one', resources.nodes, node('node-1', { ours: true }));
      // Somebody has uncordoned it, and the actor has not heard of it.
      night.store(resources.nodes, node('node-1'));
      night.store(resources.pods, pod('web-1', 'node-1'), ['one']);
      evict(night, pod('web-1', 'node-1'));
    },
  });

  complains('jobs-once', 'a script is started a second time', {
    bad: (night) => {
      startJob(night, 'node-1', 1);
      startJob(night, 'node-1', 2);
    },
    // After a retry of a turn that was undone it begins anew.
    good: (night) => {
      startJob(night, 'node-1', 1);
      night.store(turnResource, turn('node-1', { phase: 'Failed' }));
      night.store(turnResource, turn('node-1', { phase: 'Pending', retryFrom: 'Preparing' }));
      startJob(night, 'node-1', 2);
    },
  });

  complains('jobs-once', 'a script that ran in the former run runs twice in the next', {
    bad: (night) => {
      startJob(night, 'node-1', 1);
      night.store(runResource, { metadata: { name: 'monthly-2026-11', namespace: 'turnus-system' } });
      startJob(night, 'node-1', 2);
      startJob(night, 'node-1', 3);
    },
    good: (night) => {
      startJob(night, 'node-1', 1);
      night.store(runResource, { metadata: { name: 'monthly-2026-11', namespace: 'turnus-system' } });
      startJob(night, 'node-1', 2);
    },
  });

  complains('jobs-once', 'a retry runs a script again on a host that was touched', {
    bad: (night) => {
      startJob(night, 'node-1', 1);
      night.store(turnResource, turn('node-1', { phase: 'Failed', cordoned: true, rebootRequestedAt: 'then' }));
      night.store(turnResource, turn('node-1', { phase: 'Pending', retryFrom: 'Rebooting' }));
      startJob(night, 'node-1', 2);
    },
    good: (night) => {
      startJob(night, 'node-1', 1);
      startJob(night, 'node-2', 1);
    },
  });

  complains('jobs-once', 'leave runs a second time in one attempt', {
    bad: (night) => {
      runJob(night, 'leave');
      night.store(turnResource, turn('node-1', { phase: 'Draining' }));
      runJob(night, 'leave', { execution: 2 });
    },
    good: (night) => {
      runJob(night, 'leave');
      runJob(night, 'join');
      night.store(turnResource, turn('node-1', { phase: 'Deferred' }));
      night.store(turnResource, turn('node-1', { phase: 'Preparing' }));
      runJob(night, 'leave', { execution: 2 });
      runJob(night, 'join', { execution: 2 });
    },
  });

  complains('left-comes-back', 'a node is given back after leave without join', {
    playbook: { stages: ['leave', 'update', 'join'] },
    bad: (night) => {
      cordonByUs(night, 'node-1');
      runJob(night, 'leave');
      runJob(night, 'join', { exitCode: 1 });
      uncordonByUs(night, 'node-1', 'boot-1', { isUndo: true });
    },
    good: (night) => {
      cordonByUs(night, 'node-1');
      runJob(night, 'leave');
      runJob(night, 'join');
      uncordonByUs(night, 'node-1', 'boot-1', { isUndo: true });
    },
  });

  complains('left-comes-back', 'join is started beside leave', {
    playbook: { stages: ['leave', 'join'] },
    bad: (night) => {
      startJob(night, 'node-1', 1, 'leave');
      runJob(night, 'join');
    },
    good: (night) => {
      startJob(night, 'node-2', 1, 'leave');
      runJob(night, 'join');
    },
  });

  const labelled = { duringTurn: { annotations: {}, labels: { [turnLabel]: 'yes' } } };
  complains('during-turn-is-restored', 'the former value does not come back', {
    playbook: labelled,
    bad: (night) => {
      night.store(resources.nodes, node('node-1', { label: 'no' }));
      night.store(resources.nodes, node('node-1', { label: 'yes', ours: true, recorded: true }));
      night.store(resources.nodes, node('node-1'));
    },
    good: (night) => {
      night.store(resources.nodes, node('node-1', { label: 'no' }));
      night.store(resources.nodes, node('node-1', { label: 'yes', ours: true, recorded: true }));
      night.store(resources.nodes, node('node-1', { label: 'no' }));
    },
  });

  complains('during-turn-is-restored', 'what a person has changed meanwhile is overwritten', {
    playbook: labelled,
    bad: (night) => {
      night.store(resources.nodes, node('node-1'));
      night.store(resources.nodes, node('node-1', { label: 'yes', ours: true, recorded: true }));
      night.store(resources.nodes, node('node-1', { label: 'mine', ours: true, recorded: true }));
      night.store(resources.nodes, node('node-1'));
    },
    good: (night) => {
      night.store(resources.nodes, node('node-1'));
      night.store(resources.nodes, node('node-1', { label: 'yes', ours: true, recorded: true }));
      night.store(resources.nodes, node('node-1', { label: 'mine', ours: true, recorded: true }));
      night.store(resources.nodes, node('node-1', { label: 'mine' }));
    },
  });

  complains('during-turn-is-restored', 'the cordon comes without it', {
    playbook: labelled,
    bad: (night) => {
      night.store(resources.nodes, node('node-1'));
      night.store(resources.nodes, node('node-1', { ours: true }));
    },
    good: (night) => {
      night.store(resources.nodes, node('node-1'));
      night.store(resources.nodes, node('node-1', { label: 'yes', ours: true, recorded: true }));
    },
  });

  complains('foreign-stays', 'a cordon of somebody else is taken back', {
    bad: (night) => {
      night.store(resources.nodes, node('node-1', { cordoned: true }));
      patchNode(night, 'node-1', () => {
        night.store(resources.nodes, node('node-1'));
      });
    },
    good: (night) => {
      cordonByUs(night, 'node-1');
      uncordonByUs(night, 'node-1');
    },
  });

  complains('foreign-stays', 'a hold is taken away', {
    bad: (night) => {
      night.store(resources.nodes, node('node-1', { hold: 'disk' }));
      patchNode(night, 'node-1', () => {
        night.store(resources.nodes, node('node-1'));
      });
    },
    good: (night) => {
      night.store(resources.nodes, node('node-1', { hold: 'disk' }));
      patchNode(night, 'node-1', () => {
        night.store(resources.nodes, node('node-1', { hold: 'disk', ours: true }));
      });
    },
  });

  complains('foreign-stays', 'a pod is deleted instead of evicted', {
    bad: (night) => {
      night.call({ verb: 'delete', resource: resources.pods, namespace: 'shop', name: 'web-1' });
    },
    good: (night) => {
      night.call({ verb: 'create', resource: resources.events, namespace: 'default' });
    },
  });

  complains('hold-is-kept', 'a script is started on a node that was known to be held', {
    bad: (night) => {
      night.store(resources.nodes, node('node-1', { ours: true, hold: 'disk' }), ['one']);
      night.wait(1000);
      readNode(night, 'node-1');
      startJob(night, 'node-1', 1);
    },
    good: (night) => {
      night.store(resources.nodes, node('node-1', { ours: true }), ['one']);
      readNode(night, 'node-1');
      night.wait(1000);
      night.store(resources.nodes, node('node-1', { ours: true, hold: 'disk' }), ['one']);
      startJob(night, 'node-1', 1);
    },
  });

  complains('hold-is-kept', 'a held node is given back', {
    bad: (night) => {
      night.store(resources.nodes, node('node-1', { ours: true, hold: 'disk' }), ['one']);
      night.wait(10_000);
      uncordonByUs(night, 'node-1');
    },
    good: (night) => {
      night.store(resources.nodes, node('node-1', { ours: true, hold: 'disk' }), ['one']);
      night.wait(10);
      uncordonByUs(night, 'node-1');
    },
  });

  complains('gates-decide', 'pods are evicted although the gates said no after the cordon', {
    bad: async () => {
      const findings = [{ code: 'no-room', severity: 'block' }];
      return {
        journal: await journalOf([
          { type: 'node.cordoning', node: 'node-1' },
          { type: 'gate.checked', node: 'node-1', moment: 'after-cordon', findings },
          { type: 'pod.evicting', node: 'node-1' },
        ]),
      };
    },
    good: async () => {
      return {
        journal: await journalOf([
          { type: 'node.cordoning', node: 'node-1' },
          { type: 'gate.checked', node: 'node-1', moment: 'after-cordon', findings: [] },
          { type: 'pod.evicting', node: 'node-1' },
        ]),
      };
    },
  });

  complains('gates-decide', 'pods are evicted by a successor that did not ask the gates', {
    bad: async () => {
      return {
        journal: await journalOf([
          { type: 'gate.checked', node: 'node-1', moment: 'after-cordon', findings: [] },
          { type: 'run.resumed' },
          { type: 'pod.evicting', node: 'node-1' },
        ]),
      };
    },
    good: async () => {
      return {
        journal: await journalOf([
          { type: 'job.started', node: 'node-1', stage: 'update' },
          { type: 'run.resumed' },
          { type: 'pod.evicting', node: 'node-1' },
        ]),
      };
    },
  });

  complains('uncordon-after-proof', 'a node is given back that reports the boot before the reboot', {
    bad: (night) => {
      cordonByUs(night, 'node-1');
      reboot(night, 'node-1');
      uncordonByUs(night, 'node-1');
    },
    good: (night) => {
      cordonByUs(night, 'node-1');
      reboot(night, 'node-1');
      night.machine('node-1', { bootId: 'boot-2', isUp: true });
      night.store(resources.nodes, node('node-1', { ours: true, bootId: 'boot-2' }), ['one']);
      uncordonByUs(night, 'node-1', 'boot-2');
    },
  });

  complains('uncordon-after-proof', 'an undo gives a touched host back', {
    bad: (night) => {
      cordonByUs(night, 'node-1');
      startJob(night, 'node-1', 1);
      uncordonByUs(night, 'node-1', 'boot-1', { isUndo: true });
    },
    good: (night) => {
      cordonByUs(night, 'node-1');
      uncordonByUs(night, 'node-1', 'boot-1', { isUndo: true });
    },
  });

  complains('only-empty-hosts-are-touched', 'the update starts while a pod is on the node', {
    bad: (night) => {
      night.store(resources.nodes, node('node-1', { ours: true }), ['one']);
      night.store(resources.pods, pod('web-1', 'node-1'), ['one']);
      night.wait(10);
      readNode(night, 'node-1');
      startJob(night, 'node-1', 1);
    },
    good: (night) => {
      night.store(resources.nodes, node('node-1', { ours: true }), ['one']);
      readNode(night, 'node-1');
      night.wait(10);
      night.store(resources.pods, pod('web-1', 'node-1'), ['one']);
      startJob(night, 'node-1', 1);
    },
  });

  it.each([
    ['evict', true],
    ['leave', false],
  ] as const)(
    'where pods are to %s, a host touched with one on it is complained of: %s',
    async (treatment, complained) => {
      const violations = await violationsOf(
        (night) => {
          night.store(resources.nodes, node('node-1', { ours: true }), ['one']);
          night.store(resources.pods, pod('web-1', 'node-1'), ['one']);
          night.wait(10);
          readNode(night, 'node-1');
          reboot(night, 'node-1');
        },
        { workloads: [{ ...web, treatment }] },
      );
      expect(violations.includes('only-empty-hosts-are-touched')).toBe(complained);
    },
  );

  complains('only-empty-hosts-are-touched', 'the reboot is asked for while the node takes pods', {
    bad: (night) => {
      night.store(resources.nodes, node('node-1'), ['one']);
      night.wait(10);
      readNode(night, 'node-1');
      reboot(night, 'node-1');
    },
    good: (night) => {
      night.store(resources.nodes, node('node-1', { ours: true }), ['one']);
      readNode(night, 'node-1');
      reboot(night, 'node-1');
    },
  });

  complains('lease-holder-acts', 'an actor acts while another holds the lease', {
    bad: (night) => {
      heldBy(night, 'two');
      patchNode(night, 'node-1');
    },
    good: (night) => {
      heldBy(night, 'one');
      patchNode(night, 'node-1');
      heldBy(night, '');
      patchNode(night, 'node-1');
    },
  });

  complains('one-actor-acts', 'two actors act in turns', {
    bad: (night) => {
      patchNode(night, 'node-1');
      night.call({ actor: 'two', verb: 'patch', resource: resources.nodes, name: 'node-2' });
    },
    good: (night) => {
      patchNode(night, 'node-1');
      night.actor({ actor: 'one', what: 'crashes' });
      night.call({ actor: 'two', verb: 'patch', resource: resources.nodes, name: 'node-2' });
    },
  });

  complains('done-once', 'a turn that was Done is taken again', {
    bad: (night) => {
      night.store(turnResource, turn('node-1', { phase: 'Done' }));
      night.store(turnResource, turn('node-1', { phase: 'Checking' }));
    },
    good: (night) => {
      night.store(turnResource, turn('node-1', { phase: 'Settling' }));
      night.store(turnResource, turn('node-1', { phase: 'Done' }));
    },
  });

  complains('drain-finishes', 'a turn is put off after its cordon in a night without trouble', {
    troubles: [],
    bad: (night) => {
      cordonByUs(night, 'node-1');
      night.store(turnResource, turn('node-1', { phase: 'Deferred' }));
    },
    good: (night) => {
      night.store(turnResource, turn('node-1', { phase: 'Blocked' }));
    },
  });

  complains('journal-verifies', 'an entry was changed', {
    bad: async (night) => {
      const [first, ...rest] = await journalOf([{ type: 'run.started' }, { type: 'turn.started', node: 'node-1' }]);
      anchored(night, rest.at(-1));
      return { journal: first === undefined ? [] : [{ ...first, actor: 'another' }, ...rest] };
    },
    good: async (night) => {
      const journal = await journalOf([{ type: 'run.started' }, { type: 'turn.started', node: 'node-1' }]);
      anchored(night, journal.at(-1));
      return { journal };
    },
  });

  complains('anchored-before-acting', 'a node is cordoned before the status knows of it', {
    bad: async (night) => {
      const journal = await journalOf([{ type: 'run.started' }, { type: 'node.cordoning', node: 'node-1' }]);
      anchored(night, journal[0]);
      cordonByUs(night, 'node-1');
      return { journal };
    },
    good: async (night) => {
      const journal = await journalOf([{ type: 'run.started' }, { type: 'node.cordoning', node: 'node-1' }]);
      anchored(night, journal.at(-1));
      cordonByUs(night, 'node-1');
      return { journal };
    },
  });

  complains('no-mark-is-left', 'a node that is done keeps our mark', {
    bad: (night) => {
      cordonByUs(night, 'node-1');
      night.store(turnResource, turn('node-1', { phase: 'Done' }));
    },
    good: (night) => {
      cordonByUs(night, 'node-1');
      night.store(turnResource, turn('node-1', { phase: 'Failed', failure: failure() }));
    },
  });

  complains('no-mark-is-left', 'a run keeps its finalizer, and the lease is held', {
    bad: (night) => {
      night.store(runResource, { metadata: { name: run, finalizers: [runFinalizer] }, status: { phase: 'Completed' } });
      heldBy(night, 'one');
    },
    good: (night) => {
      night.store(runResource, { metadata: { name: run }, status: { phase: 'Completed' } });
      heldBy(night, '');
    },
  });

  complains('run-ends', 'a run neither ends nor says for what it waits', {
    bad: (night) => {
      night.store(turnResource, turn('node-1', { phase: 'Draining' }));
      return { isOver: false };
    },
    good: (night) => {
      night.store(turnResource, turn('node-1', { phase: 'Draining', waitingFor: { what: 'a pod', since: 'then' } }));
      return { isOver: false };
    },
  });

  complains('waits-are-said', 'a turn goes on after ten minutes of silence', {
    bad: (night) => {
      night.wait(1000);
      night.store(turnResource, turn('node-1', { phase: 'Draining' }));
      night.wait(600_000);
      night.store(turnResource, turn('node-1', { phase: 'Updating' }));
    },
    good: (night) => {
      night.wait(1000);
      night.store(turnResource, turn('node-1', { phase: 'Draining', waitingFor: { what: 'a pod', since: 'then' } }));
      night.wait(600_000);
      night.store(turnResource, turn('node-1', { phase: 'Updating' }));
    },
  });

  complains('last-replica-stays', 'two of four are evicted side by side where two must stay and one is not Ready', {
    bad: (night) => {
      fourReplicas(night);
      evict(night, pod('web-1', 'node-1'));
      evict(night, pod('web-2', 'node-2'));
    },
    good: (night) => {
      fourReplicas(night);
      evict(night, pod('web-1', 'node-1'));
    },
  });

  complains('one-zone-at-a-time', 'a node is cordoned while a turn is in work in another zone', {
    bad: (night) => {
      night.store(resources.nodes, node('node-2', { zone: 'b' }));
      night.store(turnResource, turn('node-2', { phase: 'Settling' }));
      cordonByUs(night, 'node-1');
    },
    good: (night) => {
      night.store(resources.nodes, node('node-2', { zone: 'b' }));
      night.store(turnResource, turn('node-2', { phase: 'Done' }));
      night.store(resources.nodes, node('node-3'));
      night.store(turnResource, turn('node-3', { phase: 'Settling' }));
      cordonByUs(night, 'node-1');
    },
  });

  complains('steering-holds', 'pods are turned away from the only other zone', {
    bad: (night) => {
      doneIn(night, ['a', 'a']);
      taint(night, 'node-9', 'b');
      night.store(resources.nodes, node('node-9', { zone: 'b' }));
    },
    good: (night) => {
      doneIn(night, ['a', 'c']);
      taint(night, 'node-9', 'b');
      night.store(resources.nodes, node('node-9', { zone: 'b' }));
    },
  });

  complains('steering-holds', 'the taint is left when a turn has failed', {
    bad: (night) => {
      night.actor({ actor: 'one', what: 'begins' });
      doneIn(night, ['a', 'b']);
      taint(night, 'node-9', 'b');
      night.actor({ actor: 'one', what: 'ends', exitCode: 4 });
    },
    good: (night) => {
      night.actor({ actor: 'one', what: 'begins' });
      doneIn(night, ['a', 'b']);
      taint(night, 'node-9', 'b');
      night.store(resources.nodes, node('node-9', { zone: 'b' }));
      night.actor({ actor: 'one', what: 'ends', exitCode: 4 });
    },
  });

  const movesOne = (night: HandmadeNight) => {
    night.store(resources.deployments, { metadata: { name: 'web', namespace: 'shop' }, spec: { replicas: 2 } });
    night.store(resources.pods, pod('web-1', 'node-1'), ['one']);
    night.store(resources.pods, pod('web-2', 'node-2'), ['one']);
    cordonByUs(night, 'node-1');
    evict(night, pod('web-1', 'node-1'));
    night.tell('one', resources.pods, pod('web-1', 'node-1'), true);
    uncordonByUs(night, 'node-1');
  };

  complains('short-owners-keep-nodes', 'the next node is cordoned before the replica is back', {
    bad: (night) => {
      movesOne(night);
      night.store(resources.pods, pod('web-3', 'node-3', { ready: false }), ['one']);
      cordonByUs(night, 'node-2');
    },
    good: (night) => {
      movesOne(night);
      night.store(resources.pods, pod('web-3', 'node-3'), ['one']);
      cordonByUs(night, 'node-2');
    },
  });

  complains('short-owners-keep-nodes', 'the actor knows that the replica is not back', {
    bad: (night) => {
      movesOne(night);
      cordonByUs(night, 'node-2');
    },
    // It has heard that the replica is Ready, and not yet that it has gone again.
    good: (night) => {
      movesOne(night);
      night.tell('one', resources.pods, pod('web-3', 'node-3'));
      cordonByUs(night, 'node-2');
    },
  });

  it('has a bad history here', () => {
    expect([...told].sort()).toEqual(Object.keys(invariants).sort());
  });
});

/** Tells what happens in a night, and answers what is known at its end where that matters. */
type History = ((night: HandmadeNight) => void) | ((night: HandmadeNight) => EndFacts | Promise<EndFacts>);
type EndFacts = NonNullable<Parameters<HandmadeNight['end']>[0]>;

async function violationsOf(history: History, parts: NightParts): Promise<readonly string[]> {
  const night = handmadeNight(parts);
  const facts = (await history(night)) ?? {};
  return (await night.end(facts)).map(({ invariant }) => invariant);
}

interface NodeLook {
  readonly cordoned?: boolean;
  readonly ours?: boolean;
  readonly hold?: string;
  readonly ready?: boolean;
  readonly bootId?: string;
  /** Label that the playbook sets during a turn. */
  readonly label?: string;
  /** Carries the record of what it carries during its turn. */
  readonly recorded?: boolean;
  readonly zone?: string;
  /** With the taint that turns pods away. */
  readonly steered?: boolean;
}

function node(name: string, look: NodeLook = {}): ApiObject {
  const { cordoned, ours, hold, ready = true, bootId = 'boot-1', label, recorded, zone, steered } = look;
  const labels = {
    ...(label === undefined ? {} : { [turnLabel]: label }),
    ...(zone === undefined ? {} : { 'topology.kubernetes.io/zone': zone }),
  };
  return {
    metadata: {
      name,
      uid: name,
      labels,
      annotations: {
        ...(recorded === true ? { [marks.duringTurn]: '{}' } : {}),
        ...(ours === true ? { [marks.cordonedBy]: run } : {}),
        ...(hold === undefined ? {} : { [marks.hold]: hold }),
      },
    },
    spec: {
      ...(cordoned === true || ours === true ? { unschedulable: true } : {}),
      ...(steered === true ? { taints: [steerTaint] } : {}),
    },
    status: { nodeInfo: { bootID: bootId }, conditions: [{ type: 'Ready', status: ready ? 'True' : 'Unknown' }] },
  };
}

function pod(name: string, nodeName: string, { ready = true }: { readonly ready?: boolean } = {}): ApiObject {
  return {
    metadata: { name, namespace: 'shop', uid: `uid-${name}`, labels: { app: 'web' } },
    spec: { nodeName },
    status: { phase: 'Running', conditions: [{ type: 'Ready', status: ready ? 'True' : 'False' }] },
  };
}

function budget(resourceVersion: string): ApiObject {
  return { metadata: { name: 'web', namespace: 'shop', resourceVersion } };
}

function turn(name: string, status: TurnStatus): ApiObject {
  return { metadata: { name: `${run}-${name}`, namespace: 'turnus-system' }, spec: { run, node: name }, status };
}

function failure() {
  return { code: 'job-failed', phase: 'Updating', node: 'cordoned', host: 'touched', who: 'somebody', next: [] };
}

function patchNode(night: HandmadeNight, name: string, effect?: () => void): void {
  night.call({ verb: 'patch', resource: resources.nodes, name }, { kind: 'ok' }, effect);
}

function cordonByUs(night: HandmadeNight, name: string): void {
  night.store(resources.nodes, node(name), ['one']);
  const operations = [
    { op: 'add', path: mark, value: run },
    { op: 'add', path: '/spec/unschedulable', value: true },
  ];
  night.call(
    { verb: 'patch', resource: resources.nodes, name, request: { patch: { operations } } },
    { kind: 'ok' },
    () => {
      night.store(resources.nodes, node(name, { ours: true }));
    },
  );
}

function uncordonByUs(
  night: HandmadeNight,
  name: string,
  bootId = 'boot-1',
  { isUndo = false }: { readonly isUndo?: boolean } = {},
): void {
  const lastTurn = { op: 'add', path: `/metadata/annotations/${marks.lastTurn.replace('/', '~1')}`, value: '{}' };
  const operations = [
    { op: 'remove', path: mark },
    { op: 'remove', path: '/spec/unschedulable' },
    ...(isUndo ? [] : [lastTurn]),
  ];
  night.call(
    { verb: 'patch', resource: resources.nodes, name, request: { patch: { operations } } },
    { kind: 'ok' },
    () => {
      night.store(resources.nodes, node(name, { bootId }));
    },
  );
}

function twoReplicas(
  night: HandmadeNight,
  { otherReady, desired = 2 }: { readonly otherReady: boolean; readonly desired?: number },
): void {
  cordonByUs(night, 'node-1');
  cordonByUs(night, 'node-2');
  const owner = { metadata: { name: 'web', namespace: 'shop' }, spec: { replicas: desired } };
  night.store(resources.deployments, owner, ['one']);
  night.store(resources.pods, pod('web-1', 'node-1'), ['one']);
  night.store(resources.pods, pod('web-2', 'node-2', { ready: otherReady }), ['one']);
}

function backend(name: string, nodeName: string, look: { readonly ready?: boolean } = {}): ApiObject {
  const { metadata, ...rest } = pod(name, nodeName, look);
  return { metadata: { ...metadata, labels: { app: name, serves: 'api' } }, ...rest };
}

function twoBackends(night: HandmadeNight, { otherReady }: { readonly otherReady: boolean }): void {
  cordonByUs(night, 'node-1');
  night.store(resources.pods, backend('hook-1', 'node-1'), ['one']);
  night.store(resources.pods, backend('hook-2', 'node-2', { ready: otherReady }), ['one']);
}

function singletonOwner({
  mark,
  replicas = 1,
}: { readonly mark?: string; readonly replicas?: number } = {}): ApiObject {
  const annotations = mark === undefined ? {} : { [marks.restartedFor]: mark };
  return {
    metadata: { name: 'web', namespace: 'shop', uid: 'uid-web' },
    spec: { replicas, template: { metadata: { annotations } } },
  };
}

/** A Deployment with one pod, on node-1, which could be surged to node-2. */
function singleton(night: HandmadeNight): void {
  cordonByUs(night, 'node-1');
  night.store(resources.nodes, node('node-2'), ['one']);
  night.store(resources.deployments, singletonOwner(), ['one']);
  night.store(resources.pods, pod('web-1', 'node-1'), ['one']);
}

function restart(night: HandmadeNight, deployment: ApiObject): void {
  night.call({ verb: 'patch', resource: resources.deployments, namespace: 'shop', name: 'web' }, { kind: 'ok' }, () => {
    night.store(resources.deployments, deployment);
  });
}

function endedByController(night: HandmadeNight, { metadata, ...rest }: ApiObject): void {
  const by = 'system:serviceaccount:kube-system:replicaset-controller';
  night.storeBy(by, resources.pods, { metadata: { ...metadata, deletionTimestamp: 'now' }, ...rest });
}

/** On two cordoned nodes and two others; the actor knows that one of the latter is not Ready. */
function fourReplicas(night: HandmadeNight): void {
  cordonByUs(night, 'node-1');
  cordonByUs(night, 'node-2');
  night.store(resources.deployments, { metadata: { name: 'web', namespace: 'shop' }, spec: { replicas: 4 } }, ['one']);
  for (const number of [1, 2, 3, 4]) {
    night.store(resources.pods, pod(`web-${number}`, `node-${number}`, { ready: number !== 4 }), ['one']);
  }
}

/** A node that is done in each of these zones, and one whose turn is to come. */
function doneIn(night: HandmadeNight, zones: readonly string[]): void {
  for (const [number, zone] of zones.entries()) {
    night.store(resources.nodes, node(`node-${number}`, { zone }));
    night.store(turnResource, turn(`node-${number}`, { phase: 'Done' }));
  }
  night.store(turnResource, turn('node-9', { phase: 'Pending' }));
}

function taint(night: HandmadeNight, name: string, zone: string): void {
  night.store(resources.nodes, node(name, { zone }));
  night.store(resources.nodes, node(name, { zone, steered: true }));
}

function evict(night: HandmadeNight, { metadata, ...rest }: ApiObject): void {
  const { namespace, name, uid } = metadata;
  night.call({ verb: 'evict', request: { namespace, name, uid } }, { kind: 'accepted' }, () => {
    night.store(resources.pods, { metadata: { ...metadata, deletionTimestamp: 'now' }, ...rest });
  });
}

function evictRefused(
  night: HandmadeNight,
  answer: { readonly kind: string; readonly retryAfterMs?: number } = { kind: 'budget' },
) {
  night.call({ verb: 'evict', request: { namespace: 'shop', name: 'web-1', uid: 'uid-web-1' } }, answer);
}

function readNode(night: HandmadeNight, name: string): void {
  const request = { fieldSelector: `spec.nodeName=${name}` };
  night.call({ verb: 'list', isOutward: false, resource: resources.pods, request });
}

function startJob(night: HandmadeNight, name: string, execution: number, stage = 'update'): void {
  night.call({ port: 'host', verb: 'startJob', name }, { kind: 'ok' }, () => {
    night.onHost({ kind: 'job-started', node: name, job: `${name}/${stage}/${execution}`, stage });
  });
}

/** The script begins and ends. */
function runJob(night: HandmadeNight, stage: string, { execution = 1, exitCode = 0 } = {}): void {
  startJob(night, 'node-1', execution, stage);
  const job = `node-1/${stage}/${execution}`;
  night.onHost({ kind: 'job-ended', node: 'node-1', job, stage, how: 'exited', exitCode });
}

function reboot(night: HandmadeNight, name: string): void {
  night.call({ port: 'host', verb: 'reboot', name, request: { expectedBootId: 'boot-1' } });
}

function heldBy(night: HandmadeNight, holderIdentity: string): void {
  night.store(resources.leases, { metadata: { name: 'turnus', namespace: 'turnus-system' }, spec: { holderIdentity } });
}

function anchored(night: HandmadeNight, entry: JournalEntry | undefined): void {
  if (entry === undefined) return;
  const journal = { seq: entry.seq, head: entry.hash };
  night.store(runResource, {
    metadata: { name: run, namespace: 'turnus-system' },
    status: { phase: 'Running', journal },
  });
}

async function journalOf(records: readonly JournalRecord[]): Promise<readonly JournalEntry[]> {
  const written: JournalEntry[] = [];
  const write = (entry: JournalEntry) => {
    written.push(entry);
    return Promise.resolve();
  };
  const sink = { name: 'the test', write, close: () => Promise.resolve() };
  const journal = openJournal({ run, clock: new VirtualTime(0).clock, sinks: [sink], head: undefined });
  for (const record of records) await journal.append(record);
  return written;
}
