import type { NodeView } from '../cluster/view.js';
import type { FindingCode } from '../gates/finding.js';
import { hostGate, type HostInspection } from '../gates/hostGate.js';
import { automaticRebootFinding } from '../gates/otherRebooterGate.js';
import type { HostAnswer, HostFacts, HostTrouble } from '../host/hostPort.js';
import type { HostPolicy } from '../playbook/playbook.js';
import { ok, skipped, warning, type Check, type CheckCode, type Judgement } from './check.js';
import { judgeClock } from './clockDifference.js';
import { judgeDisk, judgeJobDirectory, judgePrograms, judgeRebootCommand } from './hostFactChecks.js';

/** What a host answered, and when. */
export interface HostReading {
  readonly node: NodeView;
  readonly address: string | undefined;
  /** Undefined where there is no address. */
  readonly answer: HostAnswer<HostFacts> | undefined;
  readonly askedAtMs: number;
  readonly answeredAtMs: number;
  /** Interpreters of the playbook's scripts that the host does not have; undefined: nobody looked. */
  readonly missingInterpreters: HostAnswer<readonly string[]> | undefined;
}

/** The way into a host, in the order in which it is gone: where one step fails, nothing is known of the next. */
const steps = ['address', 'reachable', 'host-key', 'login', 'sudo', 'usable'] as const satisfies readonly CheckCode[];
/** What is asked of a host that has answered. */
const facts = ['same-machine', 'disk', 'job-directory', 'programs', 'reboot-command', 'host-clock'] as const;

/** Every check of one host, in words of the gate that keeps a node in service for the same reason. */
export function judgeHost(reading: HostReading, policy: Pick<HostPolicy, 'ssh' | 'reboot'>): readonly Check[] {
  const { node, address } = reading;
  const subject = { kind: 'host', node: node.name, ...(address === undefined ? {} : { address }) } as const;
  return judgements(reading, policy).map((judgement) => ({ subject, ...judgement }));
}

function judgements(reading: HostReading, policy: Pick<HostPolicy, 'ssh' | 'reboot'>): readonly Judgement[] {
  const { node, address, answer } = reading;
  const { ssh } = policy;
  const gate = (host: Pick<HostInspection, 'answer'>) => hostGate({ node, host: { address, ssh, ...host } });
  if (answer?.kind !== 'ok') {
    const [finding] = gate({ answer });
    if (finding === undefined) throw new Error('the gate has a word for every host that did not answer');
    const about = answer?.kind === 'command-failed' ? answer.about : undefined;
    const fails: Judgement = {
      check: about === undefined ? stepOf(finding.code) : troubleCheck(about),
      state: 'failed',
      // The gate says whose host it is; here the subject does.
      message: answer?.message ?? finding.message,
      hint: finding.hint,
      ...(answer !== undefined && 'fingerprint' in answer ? { fingerprint: answer.fingerprint } : {}),
      ...(answer?.kind === 'host-key-unknown' && answer.line !== undefined ? { knownHostsLine: answer.line } : {}),
    };
    return about === undefined ? stoppedAt(fails) : inTrouble(fails);
  }
  const { value } = answer;
  const [otherMachine] = gate({ answer: { kind: 'ok', value: { ...value, root: true } } });
  const [notRoot] = gate({ answer: { kind: 'ok', value: { ...value, bootId: node.bootId } } });
  return [
    ...steps.filter((step) => step !== 'sudo').map((step) => passed(step, reading, policy)),
    notRoot === undefined ? passed('sudo', reading, policy) : { ...failedBy(notRoot), check: 'sudo' },
    otherMachine === undefined
      ? ok('same-machine', `Its boot id is the one that node ${node.name} reports.`)
      : { ...failedBy(otherMachine), check: 'same-machine' },
    judgeDisk(value),
    judgeJobDirectory(value),
    judgePrograms(value, reading.missingInterpreters),
    judgeRebootCommand(value, policy.reboot),
    judgeClock({
      check: 'host-clock',
      whose: 'The clock of the host',
      reading: { ...reading, theirsMs: value.clockMs },
      mayFail: false,
    }),
    ...(value.automaticReboot === true ? [rebootsItself(node)] : []),
  ];
}

function rebootsItself(node: NodeView): Judgement {
  const { message, hint } = automaticRebootFinding(node);
  return warning('other-rebooter', message, hint);
}

/** The way ended here: what comes before worked, what comes after is not known. */
function stoppedAt(fails: Judgement): readonly Judgement[] {
  const at = steps.findIndex((step) => step === fails.check);
  return [
    ...steps.slice(0, at).map((step) => ok(step, stepWords[step])),
    fails,
    ...[...steps.slice(at + 1), ...facts].map((check) => unknownAfter(check, fails.check)),
  ];
}

/** The host was asked and has said itself what stands in the way of jobs; of a disk only root says so. */
function inTrouble(fails: Judgement): readonly Judgement[] {
  return [
    ...steps.map((step) =>
      step === 'sudo' && fails.check === 'programs' ? unknownAfter(step, fails.check) : ok(step, stepWords[step]),
    ),
    ...facts.map((check) => (check === fails.check ? fails : unknownAfter(check, fails.check))),
  ];
}

function unknownAfter(check: CheckCode, failedCheck: CheckCode): Judgement {
  return skipped(check, `Not known: \`${failedCheck}\` failed.`);
}

const stepWords: Readonly<Record<(typeof steps)[number], string>> = {
  address: 'The node has an address of the type that the playbook names.',
  reachable: 'An SSH server answers there.',
  'host-key': 'Its host key is known.',
  login: 'It lets the user in.',
  sudo: 'Commands run as root.',
  usable: 'It runs the commands of Turnus.',
};

function passed(
  step: (typeof steps)[number],
  { address, answer }: HostReading,
  { ssh }: Pick<HostPolicy, 'ssh'>,
): Judgement {
  const value = answer?.kind === 'ok' ? answer.value : undefined;
  switch (step) {
    case 'address':
      return ok(step, `Its ${ssh.address} is ${address ?? ''}.`);
    case 'host-key':
      return ok(step, `Its host key ${value?.hostKeyFingerprint ?? ''} is known.`);
    case 'login':
      return ok(step, `It lets ${value?.user ?? ''} in.`);
    case 'reachable':
    case 'sudo':
    case 'usable':
      return ok(step, stepWords[step]);
  }
}

function failedBy({ message, hint }: { readonly message: string; readonly hint: string }) {
  return { state: 'failed', message, hint } as const;
}

/** Which step a finding of the gate for hosts is about. */
function stepOf(code: FindingCode): (typeof steps)[number] {
  switch (code) {
    case 'no-host-address':
      return 'address';
    case 'host-unreachable':
    case 'host-ssh-config':
      return 'reachable';
    case 'host-key-unknown':
    case 'host-key-mismatch':
    case 'host-key-revoked':
      return 'host-key';
    case 'host-login-refused':
      return 'login';
    case 'host-sudo-refused':
      return 'sudo';
    default:
      return 'usable';
  }
}

function troubleCheck(trouble: HostTrouble): (typeof facts)[number] {
  switch (trouble) {
    case 'disk-full':
      return 'disk';
    case 'disk-read-only':
      return 'job-directory';
    case 'program-missing':
      return 'programs';
  }
}
