import type { HostKeyCheck } from './hostKeyCheck.js';

/** Where to log in, and how the machine there is known. */
export interface SshTarget {
  /** In messages: `node-1 (10.0.0.1 port 22)`. */
  readonly label: string;
  readonly host: string;
  readonly port: number;
  readonly user: string;
  /** Types of the keys that are known for it. */
  readonly keyTypes: readonly string[];
  checkKey(key: Buffer): HostKeyCheck;
}

export interface SshTimings {
  readonly connectTimeoutMs: number;
  readonly keepaliveIntervalMs: number;
  /** Unanswered probes after which the connection counts as broken. */
  readonly keepaliveCount: number;
}
