import type { HostAnswer, HostPort, JobReading } from '../../src/host/hostPort.js';

type Answers<T> = readonly (HostAnswer<T> | (() => HostAnswer<T>))[];

/** A host that gives prepared answers, the last of them again and again. */
export function createScriptedHost(answers: {
  readonly start?: Answers<{ started: boolean }>;
  readonly read?: Answers<JobReading>;
  readonly bootId?: Answers<string>;
}): HostPort & { readonly calls: string[] } {
  const calls: string[] = [];
  const answering = <T>(name: string, prepared: Answers<T> = []) => {
    let next = 0;
    return (signal: AbortSignal): Promise<HostAnswer<T>> => {
      calls.push(name);
      if (signal.aborted) return Promise.reject(signal.reason as Error);
      const answer = prepared[Math.min(next, prepared.length - 1)];
      next += 1;
      if (answer === undefined) return Promise.reject(new Error(`${name} has no answer`));
      return Promise.resolve(typeof answer === 'function' ? answer() : answer);
    };
  };
  const start = answering('start', answers.start);
  const read = answering('read', answers.read);
  const never = () => Promise.reject(new Error('not asked in this test'));
  return {
    calls,
    startJob: (_job, signal) => start(signal),
    readJob: (_job, _fromByte, signal) => read(signal),
    bootId: answering('bootId', answers.bootId),
    inspect: never,
    cancelJob: never,
    reboot: never,
    failedUnits: never,
    check: never,
    disconnect: () => undefined,
  };
}
