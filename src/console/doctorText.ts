import type { Check, CheckState, DoctorReport } from '../doctor/check.js';
import { cutText, wrapText } from './fitText.js';
import { plainText } from './plainText.js';
import { table } from './table.js';

/** The report as people read it: the cluster check by check, then one line a host, and below it what is wrong with it. */
export function doctorText(report: DoctorReport, columns: number): string[] {
  const { checks, playbook, target } = report;
  const ofCluster = checks.filter(({ subject }) => subject.kind === 'cluster');
  const hosts = hostsOf(checks);
  return [
    `Playbook ${plainText(playbook)} on ${plainText(target.server)} (context ${plainText(target.context)})`,
    '',
    'CLUSTER',
    ...checksLines(ofCluster, { columns, indent: 0 }),
    ...(hosts.length === 0 ? [] : ['', ...hostLines(hosts, columns)]),
    '',
    lastLine(report),
  ];
}

interface HostChecks {
  readonly node: string;
  readonly address: string;
  readonly checks: readonly Check[];
}

function hostsOf(checks: readonly Check[]): readonly HostChecks[] {
  const hosts = new Map<string, { node: string; address: string; checks: Check[] }>();
  for (const check of checks) {
    const { subject } = check;
    if (subject.kind !== 'host') continue;
    const host = hosts.get(subject.node) ?? { node: subject.node, address: subject.address ?? '-', checks: [] };
    host.checks.push(check);
    hosts.set(subject.node, host);
  }
  return [...hosts.values()];
}

const stateWords: Readonly<Record<CheckState, string>> = {
  ok: 'ok',
  warning: 'warning',
  failed: 'FAILED',
  skipped: 'unknown',
};
const stateWidth = 9;

function hostLines(hosts: readonly HostChecks[], columns: number): string[] {
  const rows = table([
    ['HOST', 'NODE', 'ADDRESS', 'CHECKS'],
    ...hosts.map(({ node, address, checks }) => [
      stateWords[worstOf(checks)].padEnd(stateWidth - 2),
      plainText(node),
      plainText(address),
      countText(checks),
    ]),
  ]);
  const [head = '', ...lines] = rows;
  return [
    head,
    ...hosts.flatMap(({ checks }, place) => {
      const toTell = checks.filter(({ state }) => state === 'failed' || state === 'warning');
      const notKnown = toTell.length === 0 ? checks.filter(({ state }) => state === 'skipped') : [];
      const told = [...toTell, ...notKnown];
      return [lines[place] ?? '', ...checksLines(told, { columns, indent: stateWidth })];
    }),
  ];
}

/** What was not known because something else failed does not count for itself. */
function worstOf(checks: readonly Check[]): CheckState {
  const order = ['failed', 'warning', 'skipped'] as const;
  return order.find((state) => checks.some((check) => check.state === state)) ?? 'ok';
}

function countText(checks: readonly Check[]): string {
  const counts = (['ok', 'warning', 'failed', 'skipped'] as const).flatMap((state) => {
    const count = checks.filter((check) => check.state === state).length;
    return count === 0 ? [] : [`${String(count)} ${state === 'skipped' ? 'unknown' : state}`];
  });
  return counts.join(', ');
}

/** Several that are mended in the same way say so once, at the last. */
function checksLines(
  checks: readonly Check[],
  place: { readonly columns: number; readonly indent: number },
): readonly string[] {
  const codeWidth = Math.max(0, ...checks.map(({ check }) => check.length)) + 2;
  return checks.flatMap((check, index) => {
    const { hint, ...withoutHint } = check;
    return checkLines(hint === checks[index + 1]?.hint ? withoutHint : check, { ...place, codeWidth });
  });
}

/** State, code and sentence, then what to do. A line for known_hosts is never broken: it is there to be copied. */
function checkLines(
  check: Check,
  place: { readonly columns: number; readonly indent: number; readonly codeWidth: number },
): string[] {
  const { columns, indent, codeWidth } = place;
  const start = `${' '.repeat(indent)}${stateWords[check.state].padEnd(stateWidth)}${check.check.padEnd(codeWidth)}`;
  const margin = ' '.repeat(start.length);
  const wrapped = (text: string) => wrapText(plainText(text), Math.max(30, columns - start.length));
  const [first = '', ...rest] = wrapped(check.message);
  return [
    `${start}${first}`,
    ...rest.map((line) => `${margin}${line}`),
    ...(check.hint === undefined || check.state === 'ok'
      ? []
      : wrapped(`To do: ${check.hint}`).map((line) => `${margin}${line}`)),
    ...(check.knownHostsLine === undefined
      ? []
      : [
          `${margin}Only once the fingerprint is compared, this line for known_hosts:`,
          plainText(check.knownHostsLine),
        ]),
  ];
}

function lastLine({ counts, verdict }: DoctorReport): string {
  const { ok, warning, failed, skipped } = counts;
  const unknown = skipped === 0 ? '' : `, ${String(skipped)} unknown`;
  const sum = `${String(failed)} failed, ${String(warning)} ${warning === 1 ? 'warning' : 'warnings'}, ${String(ok)} ok${unknown}.`;
  switch (verdict) {
    case 'ok':
      return `${sum} Nothing of what was looked at stands in the way of a run; \`turnus plan\` says what the nodes hold.`;
    case 'warning':
      return `${sum} Nothing failed; read the warnings before the night.`;
    case 'failed':
      return `${sum} Mend what failed before the night, and ask again.`;
  }
}

/** The one line that is drawn while hosts are asked, cut to the terminal. */
export function doctorProgressLine(
  hosts: { readonly total: number; readonly answered: number; readonly waiting: readonly string[] } | undefined,
  columns: number,
): string {
  if (hosts === undefined) return cutText('Asking the cluster', columns);
  const waiting = hosts.waiting.length === 0 ? '' : `, waiting for ${hosts.waiting.map(plainText).join(', ')}`;
  return cutText(`Hosts: ${String(hosts.answered)} of ${String(hosts.total)} have answered${waiting}`, columns);
}
