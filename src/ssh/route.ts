import { resolve } from 'node:path';
import { shownValue } from '../playbook/mistake.js';
import type { SshBastion, SshPolicy } from '../playbook/playbook.js';
import type { IdentitySource } from './credentials.js';
import type { JumpHost } from './proxyJump.js';
import type { SshConfigFile } from './sshConfigFile.js';
import { lookUpHost, type Found, type HostConfig } from './sshConfigLookup.js';
import { expandTokens } from './sshTokens.js';

/** A machine to log in to. */
export interface Machine {
  /** The name of the node, or of the bastion as it is written. */
  readonly name: string;
  readonly host: string;
  readonly port: number;
  readonly user: string;
  /** Private keys that the config names for it; the playbook's own is not among them. */
  readonly identities: readonly IdentitySource[];
}

/** The way to a host, or a sentence (without its full stop) why there is none. */
export type Route =
  | { readonly kind: 'ok'; readonly bastions: readonly Machine[]; readonly target: Machine }
  | { readonly kind: 'refused'; readonly message: string };

/** What the ways to hosts are made of. */
export interface RouteSources {
  readonly policy: SshPolicy;
  readonly config: SshConfigFile | undefined;
  /** What `~` and `%d` mean in the config. */
  readonly homeDirectory: string;
}

const maximumBastions = 8;

/**
 * How the host behind a node is reached. What the playbook says counts, then what the config says for the name of the
 * node, then the default. Bastions are looked up by their own names; of the hosts in a ProxyJump only the first may be
 * reached through others again, as with `ssh -J`.
 */
export function routeTo(node: { readonly name: string; readonly address: string }, sources: RouteSources): Route {
  const { policy } = sources;
  const target = machineOf(
    {
      name: node.name,
      host: node.address,
      user: policy.user,
      port: policy.port,
      wayIsSaid: policy.bastion !== undefined,
    },
    sources,
  );
  if (target.kind === 'refused') return target;
  const bastions =
    policy.bastion === undefined
      ? jumpsOf(target.jumps, [node.name], sources)
      : machinesOf(
          policy.bastion.map((bastion) => namedBastion(bastion, policy)),
          sources,
        );
  if (bastions.kind === 'refused') return bastions;
  return { kind: 'ok', bastions: bastions.machines, target: target.machine };
}

interface NamedMachine {
  readonly name: string;
  /** Where the config gives no HostName. */
  readonly host: string;
  readonly user: string | undefined;
  readonly port: number | undefined;
  /** Where neither the playbook nor the config gives a user for it. */
  readonly fallbackUser?: string | undefined;
  /** Which hosts it is reached through is said already, so that the config is not asked. */
  readonly wayIsSaid: boolean;
}

type Refused = { readonly kind: 'refused'; readonly message: string };
type MachineAnswer =
  { readonly kind: 'ok'; readonly machine: Machine; readonly jumps: Found<readonly JumpHost[]> | undefined } | Refused;
type MachinesAnswer = { readonly kind: 'ok'; readonly machines: readonly Machine[] } | Refused;

const nothingSaid: HostConfig = {
  hostName: undefined,
  user: undefined,
  port: undefined,
  identityFiles: [],
  jumps: undefined,
};

function machineOf(named: NamedMachine, { policy, config, homeDirectory }: RouteSources): MachineAnswer {
  const { name } = named;
  const said = { identity: policy.identity !== undefined, way: named.wayIsSaid };
  const answer = config === undefined ? undefined : lookUpHost(config, name, said);
  if (answer?.kind === 'refused') return answer;
  const found = answer?.config ?? nothingSaid;
  const host = found.hostName?.value ?? named.host;
  const port = named.port ?? found.port?.value ?? 22;
  const user = named.user ?? found.user?.value ?? named.fallbackUser;
  if (user === undefined) {
    const file = config?.path ?? 'ssh_config';
    return refused(
      `neither spec.host.ssh.user nor User in ${file} says as whom to log in to ${name}: give one of them`,
    );
  }
  const identities: IdentitySource[] = [];
  const tokens = { d: homeDirectory, h: host, n: name, p: String(port), r: user };
  for (const { value, where } of found.identityFiles) {
    const path = identityPath(value, tokens, homeDirectory);
    if (path === undefined) {
      return refused(
        `${where} has IdentityFile ${shownValue(value)}: write an absolute path or one that begins with ~/, with no other tokens than %d, %h, %n, %p, %r and %%`,
      );
    }
    identities.push({ path, where: `IdentityFile in ${where}`, replaceable: true });
  }
  return { kind: 'ok', machine: { name, host, port, user, identities }, jumps: found.jumps };
}

function identityPath(
  written: string,
  tokens: Readonly<Record<string, string>>,
  homeDirectory: string,
): string | undefined {
  const expanded = written.includes('${') ? undefined : expandTokens(written, tokens);
  if (expanded?.kind !== 'ok') return undefined;
  if (expanded.text.startsWith('~/')) return resolve(homeDirectory, expanded.text.slice(2));
  return expanded.text.startsWith('/') ? expanded.text : undefined;
}

/** The bastions of a ProxyJump. `behind` are the names that are reached through it. */
function jumpsOf(
  jumps: Found<readonly JumpHost[]> | undefined,
  behind: readonly string[],
  sources: RouteSources,
): MachinesAnswer {
  const [first, ...others] = jumps?.value ?? [];
  if (jumps === undefined || first === undefined) return { kind: 'ok', machines: [] };
  const names = [first, ...others].map(({ host }) => host);
  const repeated = names.find((name, place) => behind.includes(name) || names.indexOf(name) !== place);
  if (repeated !== undefined || behind.length + names.length > maximumBastions) {
    const why = repeated === undefined ? `more than ${String(maximumBastions)} bastions` : `${repeated} a second time`;
    return refused(
      `${jumps.where} has a ProxyJump that leads through ${why}: write "ProxyJump none" for the first bastion, above this line`,
    );
  }
  const named = (jump: JumpHost, wayIsSaid: boolean): NamedMachine => ({
    ...jump,
    name: jump.host,
    fallbackUser: sources.policy.user,
    wayIsSaid,
  });
  const nearest = bastionOf(named(first, false), sources);
  if (nearest.kind === 'refused') return nearest;
  const before = jumpsOf(nearest.jumps, [...behind, ...names], sources);
  if (before.kind === 'refused') return before;
  const after = machinesOf(
    others.map((jump) => named(jump, true)),
    sources,
  );
  if (after.kind === 'refused') return after;
  return { kind: 'ok', machines: [...before.machines, nearest.machine, ...after.machines] };
}

function bastionOf(named: NamedMachine, sources: RouteSources): MachineAnswer {
  const answer = machineOf(named, sources);
  return answer.kind === 'ok' ? answer : refused(`for the bastion ${named.name}, ${answer.message}`);
}

function machinesOf(named: readonly NamedMachine[], sources: RouteSources): MachinesAnswer {
  const machines: Machine[] = [];
  for (const each of named) {
    const answer = bastionOf(each, sources);
    if (answer.kind === 'refused') return answer;
    machines.push(answer.machine);
  }
  return { kind: 'ok', machines };
}

function namedBastion({ host, user, port }: SshBastion, policy: SshPolicy): NamedMachine {
  return { name: host, host, user, port, fallbackUser: policy.user, wayIsSaid: true };
}

function refused(message: string): Refused {
  return { kind: 'refused', message };
}
