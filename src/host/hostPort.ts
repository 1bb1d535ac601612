/**
 * What Turnus needs of the machine behind a node, cut high: a simulation needs no shell. `ssh` implements it.
 * A lost connection is never an exit code: it is `lost`, and the caller re-attaches.
 */
export interface HostPort {
  /** Connects (verifying the host key), looks and disconnects nothing. Changes nothing on the host. */
  inspect(signal: AbortSignal): Promise<HostAnswer<HostFacts>>;
  /**
   * Starts the job unless its marker directory is already there, then returns. Starting twice is starting once:
   * the marker directory is the lock. One that names another script is `command-failed`. `lost` means: it may or may not have started; call again to find out.
   */
  startJob(job: JobRequest, signal: AbortSignal): Promise<HostAnswer<{ readonly started: boolean }>>;
  /**
   * Where the job stands, and the output after `fromByte` (at most 64 KiB a call; what the host has not kept is passed
   * over). `absent` means that it was never
   * started on this host.
   */
  readJob(job: JobKey, fromByte: number, signal: AbortSignal): Promise<HostAnswer<JobReading>>;
  /** Asks a running job to end (TERM, then KILL to its process group). */
  cancelJob(job: JobKey, signal: AbortSignal): Promise<HostAnswer<{ readonly cancelled: boolean }>>;
  /**
   * Reboots only while the host's boot id is `expectedBootId` (compare and swap on the host). `requested` false
   * means that the boot id is already another one. A connection lost to the reboot is `requested: true`.
   */
  reboot(
    request: { readonly expectedBootId: string },
    signal: AbortSignal,
  ): Promise<HostAnswer<{ readonly requested: boolean; readonly bootId: string }>>;
  /** The boot id (/proc/sys/kernel/random/boot_id) over a fresh connection. */
  bootId(signal: AbortSignal): Promise<HostAnswer<string>>;
  /** Names of failed systemd units; undefined where systemd does not run. */
  failedUnits(signal: AbortSignal): Promise<HostAnswer<readonly string[] | undefined>>;
  /** Runs a short read-only command of the playbook's health checks with a deadline of its own. */
  check(
    command: string,
    signal: AbortSignal,
  ): Promise<HostAnswer<{ readonly exitCode: number; readonly output: string }>>;
  /** Ends the connection. The port can be used again afterwards. */
  disconnect(): void;
}

/** Gives the port of a node's host; the address has been chosen from the node's addresses or the playbook. */
export interface HostPorts {
  hostOf(node: { readonly name: string; readonly address: string }): HostPort;
  /** Ends every connection. */
  close(): void;
}

export interface HostFacts {
  readonly bootId: string;
  /** The login user as the host sees it. */
  readonly user: string;
  /** True when commands run as root, directly or through sudo. */
  readonly root: boolean;
  /** `SHA256:…` of the verified host key. */
  readonly hostKeyFingerprint: string;
  readonly systemd: boolean;
  /** Running kernel (`uname -r`). */
  readonly kernel: string;
  /** Free bytes where jobs live. */
  readonly freeBytes: number;
  /** unattended-upgrades reboots this host when an update asks for it; undefined where it is not installed. */
  readonly automaticReboot: boolean | undefined;
  /** The host's clock, milliseconds since the epoch, cut to the second. Absent: the host did not say. */
  readonly clockMs?: number | undefined;
  /** Programs that jobs need (docs/host-jobs.md) and that are not there. Absent: nobody looked. */
  readonly missingPrograms?: readonly string[] | undefined;
  /** By what a reboot would be asked for; '' where there is nothing of the kind. Absent: nobody looked. */
  readonly rebootCommand?: string | undefined;
  /** Where jobs live is kept in memory (tmpfs) and lost at a reboot. Absent: nobody looked. */
  readonly jobsInMemory?: boolean | undefined;
}

/** Identity of a job: one execution of a script for one turn. */
export interface JobKey {
  readonly runUid: string;
  readonly node: string;
  readonly stage: Stage;
  /** 1 for the first execution; `retry --again` counts up. */
  readonly execution: number;
}

/** The moments of a turn at which a script of the team may run. */
export type Stage = 'prepare' | 'leave' | 'update' | 'join';

export interface JobRequest extends JobKey {
  /** Name of the run, for the script (TURNUS_RUN). */
  readonly run: string;
  readonly script: string;
  /** Its file name: under it a host that takes only installed scripts knows it. */
  readonly scriptName: string;
  /** Enforced on the host too, so that a script does not outlive its turn. */
  readonly timeoutMs: number;
}

/** A piece of a job's output. */
export interface OutputPiece {
  readonly output: string;
  /** The byte after it. */
  readonly nextByte: number;
  /** Bytes that were written so far; absent where the host does not say. */
  readonly size?: number;
  /** Bytes before it that the host has not kept; absent where there are none. */
  readonly omittedBytes?: number;
  /** The boot in which it was read. */
  readonly bootId: string;
  /** SHA-256 of the script that was started, hex; absent where the host does not say. */
  readonly scriptDigest?: string;
}

export type JobReading =
  | { readonly state: 'absent' }
  /** Marker directory made, the process not yet seen, or still working. */
  | ({ readonly state: 'running' } & OutputPiece)
  /** Ended by itself. */
  | ({ readonly state: 'exited'; readonly exitCode: number; readonly result: JobAnswers } & OutputPiece)
  /** Stopped by the host because its timeout was over. */
  | ({ readonly state: 'timed-out'; readonly result: JobAnswers } & OutputPiece)
  /** No process and no exit code: the machine went down, or the process was killed, in the middle. */
  | ({ readonly state: 'vanished'; readonly startedBootId: string; readonly result: JobAnswers } & OutputPiece);

/** What the script wrote into `$TURNUS_RESULT`. */
export interface JobAnswers {
  readonly reboot: 'required' | 'no' | undefined;
  readonly changed: 'yes' | 'no' | undefined;
  /** From `version.<name>=…`. */
  readonly versions: Readonly<Record<string, string>>;
  /** Lines that are none of the above, at most ten, for the report. */
  readonly unknownLines: readonly string[];
}

export type HostAnswer<T> = { readonly kind: 'ok'; readonly value: T } | HostFailure;

/** Why the host did not answer. Messages are one sentence for people and never hold secrets. */
export type HostFailure =
  /** No connection: refused, timed out, no route, name not found. */
  | { readonly kind: 'unreachable'; readonly message: string }
  /** The connection was there and broke before the answer. */
  | { readonly kind: 'lost'; readonly message: string }
  | {
      readonly kind: 'host-key-unknown';
      readonly message: string;
      readonly fingerprint: string;
      /** The known_hosts line to add once a person has compared the fingerprint. */
      readonly line?: string;
    }
  | { readonly kind: 'host-key-mismatch'; readonly message: string; readonly fingerprint: string }
  | { readonly kind: 'host-key-revoked'; readonly message: string; readonly fingerprint: string }
  /** What says how to reach the host, or a key that it names, cannot be followed. Nothing was sent to the host. */
  | { readonly kind: 'config-refused'; readonly message: string }
  /** The user or key was not accepted. */
  | { readonly kind: 'login-refused'; readonly message: string }
  /** sudo wants a password or is missing. */
  | { readonly kind: 'sudo-refused'; readonly message: string }
  /** The host answered, but the command that Turnus needs failed there (full disk, read-only file system). */
  | {
      readonly kind: 'command-failed';
      readonly message: string;
      /** What is in the way, where the host has told it apart. */
      readonly about?: HostTrouble;
    };

/** What {@link HostPort.inspect} finds that stands in the way of any job. */
export const hostTroubles = ['disk-full', 'disk-read-only', 'program-missing'] as const;
export type HostTrouble = (typeof hostTroubles)[number];
