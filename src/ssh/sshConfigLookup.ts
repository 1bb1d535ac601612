import { matchesPattern } from '../host/knownHostsPattern.js';
import { hostNamePattern, userNamePattern } from '../playbook/hostNames.js';
import { shownValue } from '../playbook/mistake.js';
import { suggestion } from '../playbook/suggestion.js';
import { parseProxyJump, portOf, type JumpHost } from './proxyJump.js';
import type { ConfigDirective, SshConfigFile } from './sshConfigFile.js';
import { knownKeywords, treatmentOf, type KeywordTreatment } from './sshConfigKeywords.js';
import { scopeFor } from './sshConfigScope.js';
import { expandTokens } from './sshTokens.js';

/** A value and the line that it comes from, `path:line`. */
export interface Found<Value> {
  readonly value: Value;
  readonly where: string;
}

/** What an ssh_config file says for a host; undefined or empty where it says nothing. */
export interface HostConfig {
  readonly hostName: Found<string> | undefined;
  readonly user: Found<string> | undefined;
  readonly port: Found<number> | undefined;
  /** Every one that applies, in order, as written. */
  readonly identityFiles: readonly Found<string>[];
  /** Hosts to go through, in their order; an empty list: the file says that there are none. */
  readonly jumps: Found<readonly JumpHost[]> | undefined;
}

export type LookupAnswer =
  | { readonly kind: 'ok'; readonly config: HostConfig }
  /** File, line, keyword and what to do instead: one sentence without its full stop. */
  | { readonly kind: 'refused'; readonly message: string };

/** What the playbook itself says, so that the file is not asked for it. */
export interface SaidElsewhere {
  readonly identity: boolean;
  readonly way: boolean;
}

/**
 * What the file says for a host under the name that a person would type (`ssh NAME`): as in ssh_config(5), the first
 * value obtained for a keyword counts, of ProxyJump and ProxyCommand the first of both, and of IdentityFile all. The
 * first line that applies and cannot be followed refuses the host; lines that do not apply refuse nobody.
 */
export function lookUpHost(file: SshConfigFile, name: string, said: SaidElsewhere): LookupAnswer {
  const found: Obtained = { identityFiles: [], ignoreUnknown: [], settled: new Set() };
  for (const section of file.sections) {
    const scope = scopeFor(section, name, found.hostName?.value ?? name);
    if (scope.kind === 'refused') return scope;
    if (scope.kind === 'passed-over') continue;
    for (const directive of section.directives) {
      const message = obtain(directive, { name, said, found });
      if (message !== undefined) return { kind: 'refused', message: `${directive.where} ${message}` };
    }
  }
  const { hostName, user, port, identityFiles, jumps } = found;
  return { kind: 'ok', config: { hostName, user, port, identityFiles, jumps } };
}

interface Obtained {
  hostName?: Found<string>;
  user?: Found<string>;
  port?: Found<number>;
  jumps?: Found<readonly JumpHost[]>;
  readonly identityFiles: Found<string>[];
  readonly ignoreUnknown: string[];
  /** Refused keywords whose first value changes nothing: later ones do not count. */
  readonly settled: Set<string>;
}

interface Lookup {
  readonly name: string;
  readonly said: SaidElsewhere;
  readonly found: Obtained;
}

/** Why the line refuses the host; undefined where it does not. */
type Refusal = string | undefined;

function obtain(directive: ConfigDirective, lookup: Lookup): Refusal {
  const { keyword, words, fault } = directive;
  const { ignoreUnknown } = lookup.found;
  const treatment = treatmentOf(keyword);
  switch (treatment?.kind) {
    case 'ignored':
      return undefined;
    case undefined: {
      if (ignoreUnknown.some((pattern) => matchesPattern(pattern, keyword.toLowerCase()))) return undefined;
      const near = suggestion(keyword, knownKeywords);
      const hint = near === undefined ? 'correct or remove it' : `did you mean ${near}?`;
      return `has the keyword ${shownValue(keyword)}, which Turnus does not know: ${hint}`;
    }
    case 'refused':
      return fault === undefined ? refuseUnlessHarmless(directive, treatment, lookup) : faulty(keyword, fault);
    case 'used': {
      if (fault !== undefined) return faulty(keyword, fault);
      if (keyword.toLowerCase() === 'ignoreunknown') {
        ignoreUnknown.push(...words.flatMap((word) => word.toLowerCase().split(',')));
        return undefined;
      }
      const [word = ''] = words;
      if (words.length > 1 || word === '') return faulty(keyword, 'needs one value');
      return obtainUsed(keyword.toLowerCase(), { value: word, where: directive.where }, lookup);
    }
  }
}

function faulty(keyword: string, fault: string): string {
  return `(${keyword}) ${fault}: correct the line`;
}

function refuseUnlessHarmless(
  { where, keyword, words }: ConfigDirective,
  { instead, unless = [] }: Extract<KeywordTreatment, { kind: 'refused' }>,
  { said, found }: Lookup,
): Refusal {
  const key = keyword.toLowerCase();
  const isWay = key === 'proxycommand';
  if (found.settled.has(key) || (isWay && (said.way || found.jumps !== undefined))) return undefined;
  if (words.length === 1 && unless.includes(words[0]?.toLowerCase() ?? '')) {
    found.settled.add(key);
    if (isWay) found.jumps = { value: [], where };
    return undefined;
  }
  return `has ${keyword} ${shownValue(words.join(' '))}, which Turnus does not follow: ${instead}`;
}

function obtainUsed(key: string, line: Found<string>, { name, said, found }: Lookup): Refusal {
  const { value, where } = line;
  const wrong = (what: string) => `has ${what}: correct the line`;
  switch (key) {
    case 'hostname': {
      if (found.hostName !== undefined) return undefined;
      const expanded = expandTokens(value, { h: name });
      if (expanded.kind === 'unknown') {
        return wrong(`HostName ${shownValue(value)}, in which only %h and %% may stand for something`);
      }
      if (!hostNamePattern.test(expanded.text)) {
        return wrong(`HostName ${shownValue(expanded.text)}, which is no host name and no IP address`);
      }
      found.hostName = { value: expanded.text, where };
      return undefined;
    }
    case 'user':
      if (found.user !== undefined) return undefined;
      if (!userNamePattern.test(value) || value.includes('%')) {
        return wrong(`User ${shownValue(value)}, which is not the name of a user`);
      }
      found.user = line;
      return undefined;
    case 'port': {
      if (found.port !== undefined) return undefined;
      const port = portOf(value);
      if (port === undefined) return wrong(`Port ${shownValue(value)}, which is no number from 1 to 65535`);
      found.port = { value: port, where };
      return undefined;
    }
    case 'identityfile':
      if (!said.identity && value.toLowerCase() !== 'none') found.identityFiles.push(line);
      return undefined;
    case 'proxyjump': {
      if (said.way || found.jumps !== undefined) return undefined;
      const jumps = value.toLowerCase() === 'none' ? [] : parseProxyJump(value);
      if (jumps === undefined) {
        return wrong(`ProxyJump ${shownValue(value)}; expected is a list such as user@host:22,other, or none`);
      }
      found.jumps = { value: jumps, where };
      return undefined;
    }
    default:
      return undefined;
  }
}
