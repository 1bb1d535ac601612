import {
  bootIdProgram,
  checkProgram,
  failedUnitsProgram,
  inspectProgram,
  parseBootId,
  parseFailedUnits,
  parseHostFacts,
  rebootProgram,
  type PlaybookScript,
} from '../host/hostPrograms.js';
import { hostTroubles, type HostAnswer, type HostPort } from '../host/hostPort.js';
import type { HostLayout } from '../host/jobDirectory.js';
import { cancelProgram, maximumOutputBytes, readProgram, startProgram } from '../host/jobPrograms.js';
import { parseJobReading } from '../host/jobReading.js';
import { parseAnswer, type RemoteAnswer, type RemoteProgram } from '../host/remoteProgram.js';
import type { Clock } from '../time/clock.js';
import { runProgram, type HostDoor, type ProgramRun } from './runProgram.js';
import type { Link } from './link.js';

/** The host behind a node over its SSH connection: every call is one program on the host. */
export function createSshHost(parts: {
  readonly link: Link;
  readonly layout: HostLayout;
  readonly clock: Clock;
  readonly door: HostDoor;
  /** The playbook's scripts: with a restricted key they must be installed on the host. */
  readonly scripts: readonly PlaybookScript[];
  /** The longest that one call may take. */
  readonly callTimeoutMs: number;
}): HostPort {
  const { link, layout, clock, door, scripts, callTimeoutMs } = parts;
  const run = (
    program: RemoteProgram,
    signal: AbortSignal,
    options: { asLoginUser?: boolean; timeoutMs?: number } = {},
  ) =>
    runProgram(
      {
        link,
        clock,
        layout,
        program,
        door: door.kind === 'shell' && options.asLoginUser === true ? { ...door, sudo: false } : door,
        timeoutMs: options.timeoutMs ?? callTimeoutMs,
      },
      signal,
    );
  const notUnderstood = {
    kind: 'command-failed',
    message: `${link.label} answered what Turnus does not understand.`,
  } as const;

  const answered = async <T>(
    program: RemoteProgram,
    signal: AbortSignal,
    parse: (answer: RemoteAnswer, run: ProgramRun) => T | undefined,
    options: { asLoginUser?: boolean } = {},
  ): Promise<HostAnswer<T>> => {
    const ran = await run(program, signal, options);
    if (ran.kind !== 'ok') return ran;
    const answer = answerOf(ran.value, link.label);
    if (answer.kind !== 'ok') return answer;
    const value = parse(answer.value, ran.value);
    return value === undefined ? notUnderstood : { kind: 'ok', value };
  };

  return {
    inspect: async (signal) =>
      await answered(inspectProgram(scripts), signal, (answer, { fingerprint }) => parseHostFacts(answer, fingerprint)),

    startJob: async (job, signal) =>
      await answered(startProgram(job), signal, (answer) => {
        const started = answer.fields.get('started');
        return started === undefined ? undefined : { started: started === 'yes' };
      }),

    readJob: async (job, fromByte, signal) =>
      await answered(readProgram(job, fromByte), signal, (answer) => parseJobReading(answer, fromByte)),

    cancelJob: async (job, signal) =>
      await answered(cancelProgram(job), signal, (answer) => {
        const cancelled = answer.fields.get('cancelled');
        return cancelled === undefined ? undefined : { cancelled: cancelled === 'yes' };
      }),

    reboot: async ({ expectedBootId }, signal) =>
      await answered(rebootProgram(expectedBootId), signal, (answer) => {
        const bootId = parseBootId(answer);
        return bootId === undefined ? undefined : { requested: answer.fields.get('requested') === 'yes', bootId };
      }),

    async bootId(signal) {
      link.drop();
      return await answered(bootIdProgram, signal, parseBootId, { asLoginUser: true });
    },

    async failedUnits(signal) {
      const answer = await answered(failedUnitsProgram, signal, (units) => ({ units: parseFailedUnits(units) }), {
        asLoginUser: true,
      });
      return answer.kind === 'ok' ? { kind: 'ok', value: answer.value.units } : answer;
    },

    async check(command, signal) {
      const ran = await run(checkProgram(command, callTimeoutMs), signal, { timeoutMs: callTimeoutMs + 10_000 });
      if (ran.kind !== 'ok') return ran;
      const answer = answerOf(ran.value, link.label);
      if (answer.kind !== 'ok') return answer;
      const output = answer.value.body.toString('utf8', 0, maximumOutputBytes);
      return { kind: 'ok', value: { exitCode: ran.value.exitCode, output } };
    },

    disconnect() {
      link.drop();
    },
  };
}

function answerOf(run: ProgramRun, label: string): HostAnswer<RemoteAnswer> {
  const answer = parseAnswer(run.stdout);
  const failed = answer?.fields.get('failed');
  if (answer !== undefined && failed === undefined) return { kind: 'ok', value: answer };
  const why = failed ?? `the shell ended with exit code ${String(run.exitCode)}`;
  const said = run.said === '' ? '' : ` (${run.said})`;
  const about = hostTroubles.find((trouble) => trouble === answer?.fields.get('about'));
  return { kind: 'command-failed', message: `${label}: ${why}${said}.`, ...(about === undefined ? {} : { about }) };
}
