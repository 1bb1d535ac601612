import type { ApiObject } from '../../cluster/clusterPort.js';
import { loadPlaybook, type PlaybookAnswer } from '../../playbook/loadPlaybook.js';
import { loadPlaybookObject } from '../../playbook/objectPlaybook.js';
import { playbookStatusSchema, type PlaybookStatus } from '../../playbook/playbookStatus.js';
import type { ReadFile } from '../../playbook/referencedFiles.js';
import { parseJson, recordOf } from '../../cluster/json.js';
import type { Clock } from '../../time/clock.js';

/** Where the playbooks come from. */
export interface PlaybookSource {
  /** All of them as they stand now, the files that they name read anew. */
  read(): Promise<readonly ReadPlaybook[]>;
}

/** A playbook as it was read. */
export interface ReadPlaybook {
  /** By which it is the same one as before: the object's uid, the file's path. */
  readonly key: string;
  /** Of a file whose content is not understood the name that it had, else its path. */
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
    key: object.metadata.uid ?? '',
    name: object.metadata.name ?? '',
    answer: await load(object['spec']),
    generation,
    former,
    object: { resource: object, status },
  };
}

/** Read with distrust, each field for itself: another version, or a person, may have written it. */
export function statusOf(object: ApiObject): PlaybookStatus {
  const written = recordOf(object['status']);
  const fields = Object.entries(playbookStatusSchema.shape).flatMap(([field, schema]) => {
    const parsed = schema.safeParse(written[field]);
    return parsed.success && parsed.data !== undefined ? [[field, parsed.data]] : [];
  });
  return playbookStatusSchema.parse(Object.fromEntries(fields));
}

/** Files of this machine, each read anew every time. */
export function fileSource(
  reading: Reading & { readonly files: readonly string[]; readonly homeDirectory: string },
): PlaybookSource {
  const { files, readFile, homeDirectory, clock } = reading;
  const names = new Map<string, string>();
  const readOne = async (file: string): Promise<ReadPlaybook> => {
    const answer = await loadPlaybook({ file, readFile, homeDirectory, now: clock.now() });
    if (answer.kind === 'ok' && !isTaken(names, file, answer.playbook.name)) names.set(file, answer.playbook.name);
    return {
      key: file,
      name: names.get(file) ?? file,
      answer: unlessTaken(answer, { file, names }),
      generation: undefined,
      former: undefined,
      object: undefined,
    };
  };
  return {
    read: async () => {
      const read: ReadPlaybook[] = [];
      for (const file of files) read.push(await readOne(file));
      return read;
    },
  };
}

function isTaken(names: ReadonlyMap<string, string>, file: string, name: string): boolean {
  return [...names].some(([other, taken]) => other !== file && taken === name);
}

/** Runs are told apart by the name of their playbook. */
function unlessTaken(
  answer: PlaybookAnswer,
  { file, names }: { file: string; names: ReadonlyMap<string, string> },
): PlaybookAnswer {
  if (answer.kind !== 'ok' || !isTaken(names, file, answer.playbook.name)) return answer;
  const message = `is ${answer.playbook.name}, which is the name of another file's playbook already`;
  return { kind: 'invalid', mistakes: [{ file, path: 'metadata.name', message }] };
}
