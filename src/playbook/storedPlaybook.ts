import { parseJson } from '../cluster/json.js';
import { assemblePlaybook } from './assemblePlaybook.js';
import { stages } from './fileFields.js';
import type { HostPolicy, Playbook, ScriptPolicy } from './playbook.js';
import { readPath } from './referencedFiles.js';
import { playbookSchema } from './schema.js';

/** A playbook as a run keeps it: everything but the content of its files, so that nothing can be run of it. */
export type StoredPlaybook = Omit<Playbook, 'host' | 'files' | 'schedule'> & {
  /** Without freezes, which may stand in files. */
  readonly schedule: Pick<Playbook['schedule'], 'timeZone' | 'coverageMs'>;
  readonly host: Omit<HostPolicy, 'scripts'> & {
    readonly scripts: { readonly [Stage in keyof HostPolicy['scripts']]: Omit<ScriptPolicy, 'content'> };
  };
};

/**
 * The playbook in the snapshot of a run (`spec.playbook.snapshot`); undefined where this version does not understand
 * it. Paths lead nowhere: the machine that has the files is another one.
 */
export function readStoredPlaybook(snapshot: string): StoredPlaybook | undefined {
  const checked = playbookSchema.safeParse(parseJson(snapshot));
  if (!checked.success) return undefined;
  const origin = { file: '/playbook.yaml', homeDirectory: '/' };
  const nothing = { content: '', bytes: new Uint8Array() };
  const { host: hostSpec, schedule: scheduleSpec } = checked.data.spec;
  const namedScripts = stages.flatMap((stage) => hostSpec[stage]?.script ?? []);
  const scripts = new Map(namedScripts.map((file) => [readPath(file, origin), nothing]));
  const namedCalendars = scheduleSpec.freezes.flatMap(({ calendar }) => calendar ?? []);
  const calendars = new Map(namedCalendars.map((file) => [readPath(file, origin), { ...nothing, events: [] }]));
  const {
    files: _files,
    host,
    schedule,
    ...playbook
  } = assemblePlaybook(checked.data, origin, {
    scripts,
    calendars,
  });
  const named = Object.entries(host.scripts).map(([stage, { path, timeoutMs }]) => [stage, { path, timeoutMs }]);
  return {
    ...playbook,
    schedule: { timeZone: schedule.timeZone, coverageMs: schedule.coverageMs },
    host: { ...host, scripts: Object.fromEntries(named) as StoredPlaybook['host']['scripts'] },
  };
}
