import { describe, expect, it } from 'vitest';
import type { JournalEntry, JournalSink } from '../../src/journal/entry.js';
import {
  parseRun,
  parseTurn,
  runResource,
  turnResource,
  type RunObject,
  type TurnObject,
} from '../../src/run/objects.js';
import { runStateOf } from '../../src/run/runStateOf.js';
import type { RunState } from '../../src/run/state.js';
import { logSink } from '../../src/server/logSink.js';
import type { CloudEventData } from '../../src/server/notify/cloudEvent.js';
import { notificationSink } from '../../src/server/notify/notificationSink.js';
import { generateNight } from '../simulation/generateNight.js';
import { isSame } from '../simulation/invariants/truth.js';
import type { Night } from '../simulation/night.js';
import { playNight } from '../simulation/playNight.js';
import type { Witness } from '../simulation/witness.js';
import { metricsAt, valueOf } from './fixtures.js';
import { logToRead } from './logLines.js';

/** A random night, with a script that fails at the first node. */
function nightOf(seed: number): Night {
  const night = generateNight(seed);
  const node = night.nodes[0]?.name ?? '';
  const stages = [...new Set([...night.playbook.stages, 'update' as const])];
  return {
    ...night,
    playbook: { ...night.playbook, stages },
    troubles: [...night.troubles, { id: 'script', kind: 'script-fails', node, stage: 'update', changed: true }],
  };
}

/** Nights with troubles and crashes, seen through the real engine's journal and objects. */
async function watchedNight(seed: number) {
  const { metrics } = metricsAt();
  const { log, lines } = logToRead();
  const entries: JournalEntry[] = [];
  const events: CloudEventData[] = [];
  let run: RunObject | undefined;
  const turns = new Map<string, TurnObject>();
  const state = (): RunState | undefined => run && runStateOf({ run, turns: [...turns.values()] });
  const witness: Witness = {
    changed({ resource, object, type }) {
      if (type === 'deleted') return;
      if (isSame(resource, runResource)) run = parseRun(object);
      else if (isSame(resource, turnResource)) turns.set(object.metadata.name ?? '', parseTurn(object));
      else return;
      const known = state();
      if (known !== undefined) metrics.observeRun(known, 'monthly');
    },
  };
  const kept: JournalSink = {
    name: 'kept',
    write(entry) {
      entries.push(entry);
      return Promise.resolve();
    },
    close: () => Promise.resolve(),
  };
  const notifications = notificationSink({ notify: (event) => events.push(event) }, state);
  const end = await playNight(nightOf(seed), {
    witnesses: [witness],
    sinks: [kept, metrics.sink, logSink(log), notifications],
  });
  return { end, entries, events, lines: lines(), text: await metrics.text(), state: state() };
}

const seeds = Array.from({ length: 8 }, (_, place) => place + 1);
const nights = await Promise.all(seeds.map(watchedNight));
const all = nights.flatMap(({ entries }) => entries);
const ofType = (entries: readonly JournalEntry[], type: string) => entries.filter((entry) => entry.type === type);

describe('in nights with troubles', () => {
  it('nothing goes wrong because somebody looks on', () => {
    for (const { end } of nights) expect(end.violations).toEqual([]);
  });

  it('metrics, log and journal agree', () => {
    for (const { entries, text, lines } of nights) {
      const playbook = entries[0]?.['playbook'] as string;
      for (const phase of ['Done', 'Failed', 'Deferred', 'Blocked', 'Skipped']) {
        const counted = valueOf(text, `turnus_turns_finished_total{playbook="${playbook}",phase="${phase}"}`) ?? 0;
        expect(counted).toBe(ofType(entries, 'turn.finished').filter((entry) => entry['phase'] === phase).length);
      }
      expect(lines.map(({ event, entry }) => ({ event, entry }))).toEqual(
        entries.map(({ type, seq }) => ({ event: type, entry: seq })),
      );
    }
  });

  it('each turn that is done is measured once', () => {
    for (const { text, state } of nights) {
      const done = [...(state?.turns.values() ?? [])].filter(({ status }) => status.phase === 'Done');
      const measured = done.filter(({ status }) => status.finishedAt !== undefined).length;
      expect(valueOf(text, 'turnus_turn_duration_seconds_count{playbook="monthly"}') ?? 0).toBe(measured);
    }
  });

  it('a failed turn says in the journal what it left behind, and so do the webhooks', () => {
    const failed = ofType(all, 'turn.finished').filter((entry) => entry['phase'] === 'Failed');
    expect(failed.length).toBeGreaterThan(3);
    for (const entry of failed) {
      expect(entry['failure']).toMatchObject({
        code: expect.stringMatching(/\S/) as string,
        next: expect.any(Array) as [],
      });
    }
    const told = nights.flatMap(({ events }) => events.filter(({ type }) => type === 'turn.failed'));
    expect(told.map(({ id }) => id).sort()).toEqual(failed.map(({ hash }) => hash).sort());
    for (const { data } of told) expect(data['failure']).toMatchObject({ code: expect.stringMatching(/\S/) as string });
  });

  it('a drain says for what it waited, and not for longer than it took', () => {
    const waiting = ofType(all, 'drain.finished').filter((entry) => entry['waited'] !== undefined);
    expect(waiting.length).toBeGreaterThan(3);
    for (const { entries } of nights) {
      for (const entry of ofType(entries, 'drain.finished')) {
        const began = Date.parse(
          ofType(entries, 'turn.started').findLast(({ node, seq }) => node === entry.node && seq < entry.seq)?.time ??
            '',
        );
        for (const { ms } of (entry['waited'] ?? []) as { ms: number }[]) {
          expect(Number.isInteger(ms)).toBe(true);
          // An actor that died took what it knew with it.
          expect(ms).toBeLessThanOrEqual(Number.isNaN(began) ? Infinity : Date.parse(entry.time) - began);
        }
      }
    }
  });

  it('no event is told twice under different ids, and each run that ends is told', () => {
    for (const { events, state } of nights) {
      const ids = events.map(({ type, id }) => `${type} ${id}`);
      const opened = events.filter(({ type }) => type === 'window.opened');
      expect(new Set(opened.map(({ id }) => id)).size).toBe(
        new Set(opened.map(({ data }) => JSON.stringify(data['window']))).size,
      );
      const others = ids.filter((id) => !id.startsWith('window.opened'));
      expect(new Set(others).size).toBe(others.length);
      const isOver = ['Completed', 'Failed', 'Aborted'].includes(state?.status.phase ?? '');
      if (isOver) expect(events.map(({ type }) => type)).toContain('run.finished');
    }
  });
});
