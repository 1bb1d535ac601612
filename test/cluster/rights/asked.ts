import { randomUUID } from 'node:crypto';
import { mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { AuditEntry } from '../auditLog.js';

/** A request of Turnus to an API server: who asked for what, whatever the answer was. */
export interface Asked {
  /** As the User-Agent tells: `run`, `serve`, `status`, ... */
  readonly command: string;
  readonly verb: string;
  readonly group: string;
  readonly resource: string;
  readonly subresource: string;
  /** Empty where it concerns all namespaces, or the resource has none. */
  readonly namespace: string;
  /** Empty for lists and watches of many, and for what is created. */
  readonly name: string;
}

/** Names the directory in which the clusters of one run of the suite leave what was asked of them. */
const variable = 'TURNUS_TEST_ASKED';

/** Before the first cluster of the suite: makes the directory, which goes with the answer. */
export async function setup(): Promise<() => Promise<void>> {
  const directory = await mkdtemp(join(tmpdir(), 'turnus-asked-'));
  process.env[variable] = directory;
  return async () => {
    await rm(directory, { recursive: true });
  };
}

/** Keeps what Turnus asked of a cluster that is about to end, where a suite wants to know. */
export async function keepAsked(auditLog: () => Promise<readonly AuditEntry[]>): Promise<void> {
  const directory = process.env[variable];
  if (directory === undefined) return;
  await writeFile(join(directory, randomUUID()), JSON.stringify(askedIn(await auditLog())));
}

/** Of all clusters of the suite that have ended, each request once; undefined where there was none. */
export async function keptAsked(): Promise<readonly Asked[] | undefined> {
  const directory = process.env[variable];
  if (directory === undefined) return undefined;
  const names = await readdir(directory);
  if (names.length === 0) return undefined;
  const kept = names.map(async (name) => JSON.parse(await readFile(join(directory, name), 'utf8')) as Asked[]);
  return once((await Promise.all(kept)).flat());
}

function askedIn(log: readonly AuditEntry[]): readonly Asked[] {
  return once(
    log.flatMap(({ userAgent, verb, group, resource, subresource, namespace, name }) => {
      const command = /^turnus\/\S+ \((.+)\)$/.exec(userAgent)?.[1];
      if (command === undefined || resource === '') return [];
      return [{ command, verb, group, resource, subresource, namespace, name: verb === 'create' ? '' : name }];
    }),
  );
}

function once(asked: readonly Asked[]): readonly Asked[] {
  return [...new Map(asked.map((each) => [JSON.stringify(each), each])).values()];
}
