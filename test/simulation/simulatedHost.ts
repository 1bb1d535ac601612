import type {
  HostAnswer,
  HostFacts,
  JobAnswers,
  JobKey,
  JobReading,
  JobRequest,
  Stage,
} from '../../src/host/hostPort.js';
import type { SeededRandom } from '../../src/sandbox/seededRandom.js';
import type { Machine } from '../../src/sandbox/simulatedCluster.js';
import type { Timeline } from '../../src/sandbox/timeline.js';
import type { NightPlaybook } from './night.js';
import type { HostEvent } from './witness.js';

export interface HostParts {
  readonly node: string;
  /** Asked each time: a node that is registered anew has another machine. */
  readonly machine: () => Machine;
  readonly timeline: Timeline;
  readonly random: SeededRandom;
  readonly playbook: Pick<NightPlaybook, 'jobMs' | 'bootMs' | 'reboot'>;
  readonly tell: (event: HostEvent) => void;
}

/** One execution of a script, as its directory on the disk keeps it. */
interface Job {
  readonly name: string;
  readonly stage: Stage;
  readonly startedBootId: string;
  output: string;
  result: JobAnswers;
  end?: { readonly how: 'exited'; readonly exitCode: number } | { readonly how: 'timed-out' | 'vanished' };
  /** Ends the process. */
  stop: () => void;
}

type Ok<T> = Extract<HostAnswer<T>, { readonly kind: 'ok' }>;

const unanswered: JobAnswers = { reboot: undefined, changed: undefined, versions: {}, unknownLines: [] };

/** From the answer to a reboot until the machine is down: a second, and what its services take to stop. */
const shutdownMs = { atLeast: 1000, atMost: 6000 };

/**
 * The machine behind a node with its disk: what `docs/host-jobs.md` promises of a real one, without a shell. Every call
 * is decided at once, as the programs decide it that the real port sends; it must be up when it is asked.
 */
export class SimulatedHost {
  readonly #parts: HostParts;
  /** The jobs on its disk, which outlives every boot. */
  readonly #jobs = new Map<string, Job>();
  readonly #failing = new Map<string, boolean>();
  #rebootsInScript = false;
  #staysDownForMs: number | undefined;
  /** The boot whose end was asked for. */
  #rebootAskedIn: string | undefined;
  #installedKernel: string | undefined;
  #kernels = 0;
  /** Undefined: the one that it came with. */
  #kernel: string | undefined;

  constructor(parts: HostParts) {
    this.#parts = parts;
  }

  get isUp(): boolean {
    return this.#parts.machine().isUp;
  }

  get bootId(): string {
    return this.#parts.machine().bootId;
  }

  inspect(): Ok<HostFacts> {
    return ok({
      bootId: this.bootId,
      user: 'root',
      root: true,
      hostKeyFingerprint: `SHA256:${this.#parts.node}`,
      systemd: true,
      kernel: this.#kernel ?? firstKernel,
      freeBytes: 50 * 2 ** 30,
      automaticReboot: undefined,
      clockMs: Math.floor(this.#parts.timeline.now() / 1000) * 1000,
      missingPrograms: [],
      rebootCommand: 'systemctl reboot',
      jobsInMemory: false,
    });
  }

  startJob(request: JobRequest): Ok<{ started: boolean }> {
    const name = jobName(request);
    if (this.#jobs.has(name)) return ok({ started: false });
    const { node, tell } = this.#parts;
    const job: Job = {
      name,
      stage: request.stage,
      startedBootId: this.bootId,
      output: `${request.stage} on ${node}\n`,
      result: unanswered,
      stop: () => undefined,
    };
    this.#jobs.set(name, job);
    tell({ kind: 'job-started', node, job: name, stage: request.stage });
    this.#work(job, request);
    return ok({ started: true });
  }

  readJob(key: JobKey, fromByte: number): Ok<JobReading> {
    const job = this.#jobs.get(jobName(key));
    if (job === undefined) return ok({ state: 'absent' });
    const { bootId } = this;
    if (job.end === undefined && job.startedBootId !== bootId) this.#end(job, { how: 'vanished' });
    const { output: text, end, result } = job;
    const read = { output: text.slice(fromByte), nextByte: Math.max(fromByte, text.length), bootId };
    switch (end?.how) {
      case undefined:
        return ok({ state: 'running', ...read });
      case 'exited':
        return ok({ state: 'exited', exitCode: end.exitCode, result, ...read });
      case 'timed-out':
        return ok({ state: 'timed-out', result, ...read });
      case 'vanished':
        return ok({ state: 'vanished', startedBootId: job.startedBootId, result, ...read });
    }
  }

  cancelJob(key: JobKey): Ok<{ cancelled: boolean }> {
    const job = this.#jobs.get(jobName(key));
    if (job === undefined || job.end !== undefined) return ok({ cancelled: false });
    job.output += 'Terminated\n';
    this.#end(job, { how: 'exited', exitCode: 143 });
    return ok({ cancelled: true });
  }

  reboot(expectedBootId: string): Ok<{ requested: boolean; bootId: string }> {
    const { bootId } = this;
    if (bootId !== expectedBootId) return ok({ requested: false, bootId });
    if (this.#rebootAskedIn !== bootId) {
      const { timeline, random } = this.#parts;
      this.#rebootAskedIn = bootId;
      timeline.after(random.between(shutdownMs.atLeast, shutdownMs.atMost), () => {
        if (this.bootId === bootId) this.goDown(true);
      });
    }
    return ok({ requested: true, bootId });
  }

  /** The machine goes down now, with its processes, and boots again after its time. */
  goDown(asked: boolean): void {
    const { node, machine, timeline, random, playbook, tell } = this.#parts;
    if (!this.isUp) return;
    tell({ kind: 'went-down', node, asked });
    machine().goDown();
    for (const job of this.#jobs.values()) if (job.end === undefined) this.#end(job, { how: 'vanished' });
    const bootMs = this.#staysDownForMs ?? Math.round(playbook.bootMs * (0.8 + random.next() * 0.4));
    this.#staysDownForMs = undefined;
    timeline.after(bootMs, () => {
      if (this.isUp) return;
      this.#kernel = this.#installedKernel ?? this.#kernel;
      const bootId = random.uuid();
      machine().boot({ bootId, ...(this.#kernel === undefined ? {} : { kernel: this.#kernel }) });
      tell({ kind: 'booted', node, bootId });
    });
  }

  /** The next first execution of this stage's script fails. */
  failScript(stage: string, changed: boolean): void {
    this.#failing.set(stage, changed);
  }

  /** The first update script reboots the machine by itself. */
  rebootInScript(): void {
    this.#rebootsInScript = true;
  }

  /** After it goes down the next time, it only boots when somebody has mended it. */
  stayDown(mendedAfterMs: number): void {
    this.#staysDownForMs = mendedAfterMs;
  }

  /** The script at work: when it ends, how, and what it answers. */
  #work(job: Job, { stage, execution, timeoutMs }: JobRequest): void {
    const { timeline, random, playbook } = this.#parts;
    const durationMs = Math.round(playbook.jobMs * (0.7 + random.next() * 0.6));
    const isFirst = execution === 1;
    const failsChanged = isFirst ? this.#failing.get(stage) : undefined;
    if (isFirst) this.#failing.delete(stage);
    const isRebooting = stage === 'update' && isFirst && this.#rebootsInScript;
    const answersBefore = random.chance(0.5);
    const isRebootNeeded = random.chance(0.75);
    const cancel = timeline.after(Math.min(durationMs, timeoutMs), () => {
      if (durationMs > timeoutMs) {
        this.#end(job, { how: 'timed-out' });
      } else if (failsChanged !== undefined) {
        job.output += 'E: something is broken\n';
        job.result = { ...unanswered, changed: failsChanged ? 'yes' : 'no' };
        this.#end(job, { how: 'exited', exitCode: 100 });
      } else if (isRebooting) {
        if (answersBefore) job.result = this.#answers(stage, true);
        this.goDown(false);
      } else {
        job.output += 'done\n';
        job.result = this.#answers(stage, isRebootNeeded);
        this.#end(job, { how: 'exited', exitCode: 0 });
      }
    });
    job.stop = cancel;
  }

  /** What the script writes into its result file; an update that wants a reboot has installed a kernel. */
  #answers(stage: Stage, isRebootNeeded: boolean): JobAnswers {
    if (stage !== 'update') return { ...unanswered, changed: stage === 'prepare' ? 'no' : 'yes' };
    const versions: Record<string, string> = { 'kernel.before': this.#kernel ?? firstKernel };
    if (isRebootNeeded) {
      this.#kernels += 1;
      this.#installedKernel = kernelName(this.#kernels);
      if (this.#parts.playbook.reboot !== 'never') versions['kernel.after'] = this.#installedKernel;
    }
    return { ...unanswered, reboot: isRebootNeeded ? 'required' : 'no', changed: 'yes', versions };
  }

  #end(job: Job, end: NonNullable<Job['end']>): void {
    job.stop();
    job.end = end;
    const { name, stage } = job;
    this.#parts.tell({ kind: 'job-ended', node: this.#parts.node, job: name, stage, ...end });
  }
}

/** A job's key as one name: a directory on a real host. */
export function jobName({ runUid, node, stage, execution }: JobKey): string {
  return `${runUid}/${node}/${stage}/${String(execution)}`;
}

const firstKernel = '6.12.0';

function kernelName(number: number): string {
  return `6.12.${String(number)}`;
}

function ok<T>(value: T): Ok<T> {
  return { kind: 'ok', value };
}
