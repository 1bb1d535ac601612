/** A bug planted on purpose: the text that is replaced, and which invariants may find it. */
export interface PlantedBug {
  readonly name: string;
  /** Below the repository's root. */
  readonly file: string;
  /** Each `from` stands in the file exactly once. */
  readonly replacements: readonly { readonly from: string; readonly to: string }[];
  readonly foundBy: readonly string[];
  /** What it takes to find it; nights where absent. */
  readonly needs?: 'years';
}

/** Bugs that somebody could write some day, each against one rule of the engine. */
export const plantedBugs: readonly PlantedBug[] = [
  {
    name: 'the taint that turns pods away outlives the run',
    file: 'src/run/conductor.ts',
    replacements: [{ from: 'taintsLeft: await stopSteering(work)', to: 'taintsLeft: undefined' }],
    foundBy: ['steering-holds'],
  },
  {
    name: 'what an earlier turn took and never came back is forgotten',
    file: 'src/gates/notRecoveredGate.ts',
    replacements: [{ from: '  if (missing.length === 0) return [];\n', to: '  if (missing.length >= 0) return [];\n' }],
    foundBy: ['short-owners-keep-nodes'],
  },
  {
    name: 'the gates are not heard after the cordon',
    file: 'src/run/steps/drainNode.ts',
    replacements: [{ from: "    if (gates.kind !== 'done') return gates;\n", to: '    void gates;\n' }],
    foundBy: ['gates-decide'],
  },
  {
    name: 'evictions name no UID',
    file: 'src/drain/evictionSender.ts',
    replacements: [
      {
        from: 'await cluster.evict({ namespace, name, uid }, callSignal)',
        to: 'await cluster.evict({ namespace, name } as never, callSignal)',
      },
    ],
    foundBy: ['evictions-name-their-pod'],
  },
  {
    name: 'the node is given back before its boot is proved',
    file: 'src/run/turn.ts',
    replacements: [
      {
        from: [
          "  { phase: 'Rebooting', run: rebootHost },",
          "  { phase: 'Verifying', run: verifyNode },",
          "  { phase: 'Uncordoning', run: uncordonNode },",
        ].join('\n'),
        to: [
          "  { phase: 'Uncordoning', run: uncordonNode },",
          "  { phase: 'Rebooting', run: rebootHost },",
          "  { phase: 'Verifying', run: verifyNode },",
        ].join('\n'),
      },
    ],
    foundBy: ['uncordon-after-proof', 'only-empty-hosts-are-touched'],
  },
  {
    name: 'taints are forgotten where a pod is placed',
    file: 'src/cluster/taints.ts',
    replacements: [
      {
        from: 'return taints.find((taint) => keepsPodsOff(taint) && !isMomentary(taint) && !tolerates(tolerations, taint));',
        to: 'return taints.find((taint) => keepsPodsOff(taint) && isMomentary(taint) && !tolerates(tolerations, taint));',
      },
    ],
    foundBy: ['drain-finishes'],
  },
  {
    name: 'the lease is lost and the actor goes on',
    file: 'src/cluster/heldLease.ts',
    replacements: [{ from: 'if (!lost.signal.aborted) lost.abort(new LeaseLost(reason));', to: 'void reason;' }],
    foundBy: ['lease-holder-acts', 'one-actor-acts'],
  },
  {
    name: 'a script is started again by whoever goes on with the turn',
    file: 'src/run/steps/runScript.ts',
    replacements: [
      {
        from: 'const recorded = latest?.again === true ? undefined : latest;',
        to: 'const recorded = undefined as typeof latest;',
      },
      {
        from: 'execution: former === undefined ? (latest?.execution ?? 1) : former.execution + 1,',
        to: 'execution: (latest?.execution ?? 0) + 1,',
      },
    ],
    foundBy: ['jobs-once'],
  },
  {
    name: 'our mark stays on a node that is given back',
    file: 'src/cluster/cordon.ts',
    replacements: [
      {
        from: 'const { [marks.cordonedBy]: _, ...others } = annotations;',
        to: 'const { [`${marks.cordonedBy}-not`]: _, ...others } = annotations;',
      },
    ],
    foundBy: ['no-mark-is-left'],
  },
  {
    name: 'the last Ready replica may go',
    file: 'src/drain/spreadAllowance.ts',
    replacements: [{ from: 'return left >= required ? go :', to: 'return left >= -required ? go :' }],
    foundBy: ['last-replica-stays'],
  },
  {
    name: 'a refused eviction is sent again at once',
    file: 'src/drain/evictionOutcome.ts',
    replacements: [{ from: 'const firstPauseMs = 1000;', to: 'const firstPauseMs = 100;' }],
    foundBy: ['refused-evictions-rest'],
  },
  {
    name: 'the head of the journal is not anchored',
    file: 'src/run/openTurn.ts',
    replacements: [
      { from: 'await store.saveRun({ journal: headOf(journal) }, signal);', to: 'await Promise.resolve();' },
    ],
    foundBy: ['anchored-before-acting'],
  },
  {
    name: 'a hold is not looked at before the host is touched',
    file: 'src/run/steps/readyToTouch.ts',
    replacements: [
      { from: 'const held = await awaitNoHold(turn, signal);', to: "const held = { kind: 'done' } as StepEnd;" },
      {
        from: "if (reading.kind === 'not-read' || holdOf(reading.node) === undefined) return reading;",
        to: 'if (Date.length > 0) return reading;',
      },
    ],
    foundBy: ['hold-is-kept'],
  },
  {
    name: 'any turn may begin beside others',
    file: 'src/run/mayBeginBeside.ts',
    replacements: [
      {
        from: '  return mayLeaveBeside({ view: cache.view(), node, others, playbook, restartedFor });\n',
        to: '  return inHand.size > 0 || mayLeaveBeside({ view: cache.view(), node, others, playbook, restartedFor });\n',
      },
    ],
    foundBy: ['max-unavailable-holds', 'last-replica-stays'],
  },
  {
    name: 'a singleton is evicted although it could be surged',
    file: 'src/drain/surge.ts',
    replacements: [{ from: 'if (!pods.some(isAsked)) return', to: 'if (Date.length > 0) return' }],
    foundBy: ['singletons-stay-up'],
  },
  {
    name: 'an undo does not bring back what leave took out',
    file: 'src/run/undoTurn.ts',
    replacements: [
      {
        from: 'const why = (await endOfLeave(turn, signal)) ?? (await join(turn, signal));',
        to: 'const why = await endOfLeave(turn, signal); void join;',
      },
    ],
    foundBy: ['left-comes-back'],
  },
  {
    name: 'a join that is over counts for the next attempt',
    file: 'src/run/newAttempt.ts',
    replacements: [
      {
        from: 'jobs: jobs && { ...jobs, leave: nextExecution(jobs.leave), join: nextExecution(jobs.join) },',
        to: 'jobs: jobs && { ...jobs, leave: nextExecution(jobs.leave) },',
      },
      { from: '      join: nextExecution(jobs.join),\n', to: '' },
    ],
    foundBy: ['left-comes-back'],
  },
  {
    name: 'what a node carries during its turn stays on it',
    file: 'src/cluster/duringTurn.ts',
    replacements: [
      { from: 'if (restored.get(key) !== set) continue;', to: 'if (restored.get(key) !== former) continue;' },
    ],
    foundBy: ['during-turn-is-restored'],
  },
  {
    name: 'a turn begins in a window although it does not fit',
    needs: 'years',
    file: 'src/run/fitsWindow.ts',
    replacements: [
      {
        from: 'return !window.closed.aborted && turnFits({',
        to: 'return !window.closed.aborted || turnFits({',
      },
    ],
    foundBy: ['turns-start-in-windows'],
  },
  {
    name: 'a turn that touched no host goes on after the close',
    needs: 'years',
    file: 'src/run/beginTurn.ts',
    replacements: [
      {
        from: 'return { stop, abort: AbortSignal.any([control.abort, window.closed]), abortNow: control.abortNow };',
        to: 'void window;\n  return { stop, abort: control.abort, abortNow: control.abortNow };',
      },
    ],
    foundBy: ['given-back-at-close'],
  },
  {
    name: 'the taint that turns pods away outlives the window',
    needs: 'years',
    file: 'src/run/conductor.ts',
    replacements: [
      {
        from: 'taintsLeft: await stopSteering(work)',
        to: "taintsLeft: stop.kind === 'window' ? undefined : await stopSteering(work)",
      },
    ],
    foundBy: ['nothing-is-left-outside', 'steering-holds'],
  },
  {
    name: 'nodes that the former month left go last',
    needs: 'years',
    file: 'src/run/existingRun.ts',
    replacements: [
      {
        from: '    order: existing.order.filter((node) => open.has(node)),\n    done: new Set(),',
        to: '    order: existing.order.filter((node) => !open.has(node)),\n    done: new Set(),',
      },
    ],
    foundBy: ['left-go-first'],
  },
  {
    name: 'the weeks in which nobody worked on a turn count as its length',
    needs: 'years',
    file: 'src/run/takeTurn.ts',
    replacements: [
      {
        from: 'await turn.save({ steps: [...(status.steps ?? []), { phase: step.phase, startedAt: now }] });',
        to: 'await turn.save({ steps: status.steps });',
      },
    ],
    foundBy: ['exit-codes-tell'],
  },
  {
    name: 'a new machine is taken for the one whose name it bears',
    needs: 'years',
    file: 'src/run/completedTurn.ts',
    replacements: [{ from: '&& turn.nodeUid === node.uid)', to: "&& turn.nodeUid !== '')" }],
    foundBy: ['coverage-tells'],
  },
];
