import type { ApiObject } from '../cluster/clusterPort.js';
import { loadPlaybook, type PlaybookAnswer } from '../playbook/loadPlaybook.js';
import { loadPlaybookObject } from '../playbook/objectPlaybook.js';
import { playbookStatusSchema, type PlaybookStatus } from '../playbook/playbookStatus.js';
import type { ReadFile } from '../playbook/referencedFiles.js';
import { parseJson } from '../cluster/json.js';
import type { Clock } from '../time/clock.js';

/** Where the playbooks come from. */
export interface PlaybookSource {
  /** All of them as they stand now, the files that they name read anew. */
  read(): Promise<readonly ReadPlaybook[]>;
}

/** A playbook as it was read. */
export interface ReadPlaybook {
  /** Of the object; of a file whose content is not understood its path. */
  readonly name: string;
  readonly answer: PlaybookAnswer;
  /** Of the spec that was read; undefined of a file. */
  readonly generation: number | undefined;
  /** The spec that was in force before, where this one is another; its files read anew. */
  readonly former: { readonly generation: number; readonly answer: PlaybookAnswer } | undefined;
  /** Undefined: it is a file. */
  readonly object: { readonly resource: ApiObject; readonly status: PlaybookStatus } | undefined;
}

interface Reading {
  readonly readFile: ReadFile;
  readonly clock: Clock;
}

/** The `Playbook` objects of Turnus' namespace. */
export function objectSource(reading: Reading & { readonly objects: () => readonly ApiObject[] }): PlaybookSource {
  const { objects } = reading;
  return { read: async () => await Promise.all(objects().map((object) => readObject(object, reading))) };
}

async function readObject(object: ApiObject, { readFile, clock }: Reading): Promise<ReadPlaybook> {
  const load = (spec: unknown) => loadPlaybookObject({ object: { ...object, spec }, readFile, now: clock.now() });
  const generation = object.metadata.generation;
  const status = statusOf(object);
  const { inForce } = status;
  const former =
    inForce === undefined || inForce.generation === generation
      ? undefined
      : { generation: inForce.generation, answer: await load(parseJson(inForce.spec)) };
  return {
    name: object.metadata.name ?? '',
    answer: await load(object['spec']),
    generation,
    former,
    object: { resource: object, status },
  };
}

/** Read with distrust: another version, or a person, may have written it. */
function statusOf(object: ApiObject): PlaybookStatus {
  const parsed = playbookStatusSchema.safeParse(object['status'] ?? {});
  return parsed.success ? parsed.data : {};
}

/** Files of this machine, each read anew every time. */
export function fileSource(
  reading: Reading & { readonly files: readonly string[]; readonly homeDirectory: string },
): PlaybookSource {
  const { files, readFile, homeDirectory, clock } = reading;
  return {
    read: async () =>
      await Promise.all(
        files.map(async (file) => {
          const answer = await loadPlaybook({ file, readFile, homeDirectory, now: clock.now() });
          const name = answer.kind === 'ok' ? answer.playbook.name : file;
          return { name, answer, generation: undefined, former: undefined, object: undefined };
        }),
      ),
  };
}
