/** The stages of a turn at which a script may run, in their order. */
export const stages = ['prepare', 'leave', 'update', 'join'] as const;

/** Where a playbook names a script of the team. */
export const scriptFields: readonly (readonly string[])[] = stages.map((stage) => ['spec', 'host', stage, 'script']);

/** Where a playbook names an iCalendar file. */
export const calendarFields: readonly (readonly string[])[] = [['spec', 'schedule', 'freezes', '*', 'calendar']];

/** Where a playbook names the key that notifications are signed with. */
export const signingKeyFields: readonly (readonly string[])[] = [['spec', 'notify', 'webhooks', '*', 'secret']];

/** Where a playbook names a file that nobody else may read. */
export const secretFields: readonly (readonly string[])[] = [
  ['spec', 'host', 'ssh', 'identity'],
  ['spec', 'host', 'ssh', 'identityPassphrase'],
  ...signingKeyFields,
];

/** Where a playbook names a file; `*` stands for every position of a list. */
export const fileFields: readonly (readonly string[])[] = [
  ['spec', 'host', 'ssh', 'knownHosts'],
  ['spec', 'host', 'ssh', 'knownHosts', '*'],
  ['spec', 'host', 'ssh', 'identity'],
  ['spec', 'host', 'ssh', 'identityPassphrase'],
  ['spec', 'host', 'ssh', 'config'],
  ...scriptFields,
  ...calendarFields,
  ...signingKeyFields,
];

/** What can be the path of a file: one line, no blanks around it, `~` only as `~/`. */
export const writtenPath = /^(?!~(?!\/))\S(.*\S)?$/;

/** Does this path mean the same file, whoever reads it and wherever the playbook lies? */
export function isAbsolute(path: string): boolean {
  return path.startsWith('/');
}

/** The name of an object in the cluster, and the key of its data, that holds a file. */
export const objectName = /^[a-z0-9]([-a-z0-9.]{0,251}[a-z0-9])?$/;
export const dataKey = /^(?!\.{1,2}$)[-._a-zA-Z0-9]{1,253}$/;
