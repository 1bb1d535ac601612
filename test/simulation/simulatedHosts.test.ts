import { setMaxListeners } from 'node:events';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { runJob } from '../../src/host/followJob.js';
import type { HostPort, JobRequest } from '../../src/host/hostPort.js';
import { proveBoot } from '../../src/host/proveBoot.js';
import { seededRandom } from '../../src/sandbox/seededRandom.js';
import { actorLife } from './actorLife.js';
import { letSettle } from './letSettle.js';
import type { NightPlaybook } from './night.js';
import { simulatedHosts } from './simulatedHosts.js';
import { VirtualTime } from './virtualTime.js';
import { changingWeather } from './weather.js';
import type { HostEvent } from './witness.js';

const never = new AbortController().signal;
setMaxListeners(0, never);
const aMinute = 60_000;
const firstBoot = 'boot-1';

const playbook: NightPlaybook = {
  maxUnavailable: 1,
  concurrency: 1,
  stopAfterFailures: 1,
  reboot: 'required',
  stages: ['update'],
  drainTimeoutMs: aMinute,
  attempts: 2,
  jobMs: 20_000,
  bootMs: 30_000,
};

const job: JobRequest = {
  runUid: 'run-uid',
  run: 'monthly-2026-10',
  node: 'node-1',
  stage: 'update',
  execution: 1,
  script: 'true',
  scriptName: 'update.sh',
  timeoutMs: 5 * aMinute,
};

describe('the hosts of a night', () => {
  it('run a job once, and say how it ended', async () => {
    const { time, events, actor, run } = world();
    const host = actor();
    const end = await run(follow(time, host));
    const again = await run(host.startJob(job, never));

    expect(end).toMatchObject({ kind: 'exited', exitCode: 0, startedHere: true, result: { changed: 'yes' } });
    expect(end.kind === 'exited' && end.output.tail).toBe('update on node-1\ndone\n');
    expect(again).toEqual({ kind: 'ok', value: { started: false } });
    expect(events.map(({ kind }) => kind)).toEqual(['job-started', 'job-ended']);
  });

  it('start a job at most once, whoever asks, whatever answers are lost and however often they boot', async () => {
    const act = fc.record({
      what: fc.constantFrom('start', 'start', 'start', 'read', 'cancel', 'reboot', 'power', 'lose', 'hang', 'crash'),
      actor: fc.integer({ min: 0, max: 2 }),
      afterMs: fc.integer({ min: 0, max: 40_000 }),
    });
    await fc.assert(
      fc.asyncProperty(fc.integer({ min: 1, max: 2 ** 31 }), fc.array(act, { maxLength: 25 }), async (seed, acts) => {
        const { time, events, hosts, weather, actor, run } = world(seed);
        const lives = [actorLife(), actorLife(), actorLife()];
        const ports = lives.map((life) => actor(life));
        const started: boolean[] = [];
        const states: string[] = [];
        for (const { what, actor: number, afterMs } of acts) {
          await run(time.clock.sleep(afterMs, never));
          const port = ports[number];
          if (port === undefined) continue;
          switch (what) {
            case 'start':
              void port.startJob(job, never).then((answer) => {
                if (answer.kind === 'ok') started.push(answer.value.started);
              });
              break;
            case 'read':
              void port.readJob(job, 0, never).then((answer) => {
                if (answer.kind === 'ok') states.push(answer.value.state);
              });
              break;
            case 'cancel':
              void port.cancelJob(job, never);
              break;
            case 'reboot':
              void port.reboot({ expectedBootId: firstBoot }, never);
              break;
            case 'power':
              hosts.host('node-1')?.goDown(false);
              break;
            case 'lose':
              weather.loseAnswers('node-1', aMinute);
              break;
            case 'hang':
              weather.hangHost('node-1', afterMs * 3);
              break;
            case 'crash':
              lives[number]?.crash();
          }
        }
        await run(time.clock.sleep(20 * aMinute, never));
        const of = (kind: HostEvent['kind']) => events.filter((event) => event.kind === kind);
        expect(of('job-started').length).toBeLessThanOrEqual(1);
        expect(of('job-ended')).toHaveLength(of('job-started').length);
        expect(started.filter((isFirst) => isFirst).length).toBeLessThanOrEqual(1);
        if (started.length > 0) expect(of('job-started')).toHaveLength(1);
        if (started.length > 0) {
          expect(await run(actor().readJob(job, 0, never))).not.toMatchObject({ value: { state: 'absent' } });
        }
        // What was there once never is absent again.
        const firstSeen = states.findIndex((state) => state !== 'absent');
        if (firstSeen >= 0) expect(states.slice(firstSeen)).not.toContain('absent');
        // Only the first boot was asked to end.
        expect(events.filter((event) => event.kind === 'went-down' && event.asked).length).toBeLessThanOrEqual(1);
      }),
      { numRuns: 200 },
    );
  });

  it('may have started a job although the answer is lost, and may not', async () => {
    const outcomes = new Set<string>();
    for (let seed = 1; seed <= 30; seed += 1) {
      const { events, weather, actor, run } = world(seed);
      weather.loseAnswers('node-1', aMinute);
      const answer = await run(actor().startJob(job, never));
      if (answer.kind === 'lost') outcomes.add(events.length > 0 ? 'started' : 'not started');
    }
    expect([...outcomes].sort()).toEqual(['not started', 'started']);
  });

  it('reboot only in the boot that is expected, and come back with another', async () => {
    const { time, events, actor, run } = world();
    const host = actor();
    expect(await run(host.reboot({ expectedBootId: 'another' }, never))).toEqual({
      kind: 'ok',
      value: { requested: false, bootId: firstBoot },
    });
    expect(await run(host.reboot({ expectedBootId: firstBoot }, never))).toMatchObject({ value: { requested: true } });
    const proof = await run(
      proveBoot({ host, recordedBootId: firstBoot, clock: time.clock, deadlineMs: 10 * aMinute }, never),
    );
    expect(proof).toMatchObject({ kind: 'proved' });
    expect(events).toMatchObject([{ kind: 'went-down', asked: true }, { kind: 'booted' }]);
  });

  it('lose the job that ran when the machine went down, and refuse connections until it is up', async () => {
    const { time, events, hosts, actor, run } = world();
    const host = actor();
    await run(host.startJob(job, never));
    await run(time.clock.sleep(5000, never));
    hosts.host('node-1')?.goDown(false);
    expect(await run(host.bootId(never))).toMatchObject({ kind: 'unreachable' });
    await run(time.clock.sleep(2 * aMinute, never));

    const reading = await run(host.readJob(job, 0, never));

    expect(reading).toMatchObject({
      value: { state: 'vanished', startedBootId: firstBoot, result: { changed: undefined } },
    });
    expect(events.map(({ kind }) => kind)).toEqual(['job-started', 'went-down', 'job-ended', 'booted']);
  });

  it.each([true, false])('have scripts that fail and say whether they changed something (%s)', async (changed) => {
    const { time, hosts, actor, run } = world();
    hosts.host('node-1')?.failScript('update', changed);
    const end = await run(follow(time, actor()));
    expect(end).toMatchObject({ kind: 'exited', exitCode: 100, result: { changed: changed ? 'yes' : 'no' } });
  });

  it('have scripts that reboot the machine by themselves, with or without an answer before', async () => {
    const answers = new Set<string | undefined>();
    for (let seed = 1; seed <= 10; seed += 1) {
      const { time, events, hosts, actor, run } = world(seed);
      hosts.host('node-1')?.rebootInScript();
      const end = await run(follow(time, actor()));
      expect(end).toMatchObject({
        kind: 'vanished',
        startedBootId: firstBoot,
        rebootedDuringJob: { before: firstBoot },
      });
      if (end.kind === 'vanished') answers.add(end.result.reboot);
      expect(events).toContainEqual({ kind: 'went-down', node: 'node-1', asked: false });
    }
    expect(answers).toEqual(new Set(['required', undefined]));
  });

  it('stop a script whose time is over', async () => {
    const { time, actor, run } = world();
    const end = await run(follow(time, actor(), { ...job, timeoutMs: 2000 }));
    expect(end.kind).toBe('timed-out');
  });

  it('stay down until somebody mends them, once', async () => {
    const { time, hosts, events, actor, run } = world();
    hosts.host('node-1')?.stayDown(30 * aMinute);
    hosts.host('node-1')?.goDown(false);
    await run(time.clock.sleep(29 * aMinute, never));
    expect(await run(actor().bootId(never))).toMatchObject({ kind: 'unreachable' });
    await run(time.clock.sleep(2 * aMinute, never));
    expect(events.at(-1)).toMatchObject({ kind: 'booted' });
    hosts.host('node-1')?.goDown(false);
    await run(time.clock.sleep(2 * aMinute, never));
    expect(events.filter(({ kind }) => kind === 'booted')).toHaveLength(2);
  });

  it('answer late while they hang, or not before the caller gives up', async () => {
    const { time, weather, events, actor, run } = world();
    const host = actor();
    weather.hangHost('node-1', 20_000);
    expect(await run(host.inspect(never))).toMatchObject({ kind: 'ok', value: { bootId: firstBoot } });
    expect(time.elapsed()).toBeGreaterThan(20_000);
    weather.hangHost('node-1', 3 * aMinute);
    expect(await run(host.startJob(job, never))).toMatchObject({ kind: 'lost' });
    await run(time.clock.sleep(10 * aMinute, never));
    expect(events).toEqual([]);
  });

  it('are not there for nodes that never were', async () => {
    const { hosts, run, caller } = world();
    const host = hosts.ports(caller()).hostOf({ name: 'nobody', address: '10.0.0.9' });
    expect(await run(host.bootId(never))).toMatchObject({ kind: 'unreachable' });
  });
});

function follow(time: VirtualTime, host: HostPort, request = job) {
  const { clock } = time;
  return runJob(
    { host, job: request, clock, deadlineMs: 30 * aMinute, bootIdBefore: firstBoot, fence: () => undefined },
    never,
  );
}

function world(seed = 3) {
  const random = seededRandom(seed);
  const time = new VirtualTime(Date.UTC(2026, 9, 14));
  const weather = changingWeather(time, random.fork());
  const events: HostEvent[] = [];
  const witness = { onHost: (event: HostEvent) => events.push(event) };
  const machine = {
    bootId: firstBoot,
    isUp: true,
    goDown() {
      machine.isUp = false;
    },
    boot({ bootId }: { bootId: string }) {
      machine.bootId = bootId;
      machine.isUp = true;
    },
    silence: () => undefined,
  };
  const cluster = {
    machine(node: string) {
      if (node !== 'node-1') throw new Error(`there is no node ${node}`);
      return machine;
    },
  };
  const hosts = simulatedHosts({ cluster, time, random: random.fork(), playbook, witnesses: [witness] });
  let actors = 0;
  const caller = (life = actorLife()) => {
    actors += 1;
    return { actor: `actor-${String(actors)}`, time, random: random.fork(), life, witnesses: [witness], weather };
  };
  return {
    time,
    events,
    hosts,
    weather,
    caller,
    actor: (life = actorLife()) => hosts.ports(caller(life)).hostOf({ name: 'node-1', address: '10.0.0.1' }),
    run: <T>(promise: Promise<T>) => letSettle(time, promise),
  };
}
