import { matchesPattern } from '../host/knownHostsPattern.js';
import type { ConfigSection } from './sshConfigFile.js';
import { refusedKeywords, treatmentOf } from './sshConfigKeywords.js';

/** Whether the lines of a section are meant for a host; `refused` where that cannot be told and would matter. */
export type ScopeAnswer =
  | { readonly kind: 'applies' }
  | { readonly kind: 'passed-over' }
  | { readonly kind: 'refused'; readonly message: string };

/**
 * Is this section meant for the host that is looked up as `name`? A Match is passed over where nothing in it counts
 * for Turnus or its `host` or `originalhost` names other hosts; else it may apply, which is refused.
 * `hostName` is what the lines before have made of the name.
 */
export function scopeFor(section: ConfigSection, name: string, hostName: string): ScopeAnswer {
  const { scope, where } = section;
  switch (scope.kind) {
    case 'every-host':
      return { kind: 'applies' };
    case 'host':
      return { kind: hostPatternsMatch(scope.patterns, name) ? 'applies' : 'passed-over' };
    case 'unclear':
      return {
        kind: 'refused',
        message: `${where} ${scope.fault}, so that nobody knows whom it means: correct the line`,
      };
    case 'match': {
      const changesNothing = section.directives.every(({ keyword }) => treatmentOf(keyword)?.kind === 'ignored');
      if (changesNothing || matchExcludes(scope.criteria, { host: hostName, originalhost: name }))
        return { kind: 'passed-over' };
      const instead = refusedKeywords['Match']?.instead ?? '';
      return {
        kind: 'refused',
        message: `${where} has a Match that may apply, which Turnus does not follow: ${instead}`,
      };
    }
  }
}

/** One pattern matches and none of those with `!` (ssh_config(5), PATTERNS). */
function hostPatternsMatch(patterns: readonly string[], name: string): boolean {
  const isNegated = (pattern: string) => pattern.startsWith('!');
  return (
    patterns.some((pattern) => !isNegated(pattern) && matchesPattern(pattern, name)) &&
    !patterns.some((pattern) => isNegated(pattern) && matchesPattern(pattern.slice(1), name))
  );
}

/** The names in it alone say that the line does not mean the host. What else it asks is not looked at. */
function matchExcludes(
  criteria: readonly string[],
  names: { readonly host: string; readonly originalhost: string },
): boolean {
  return criteria.some((criterion, place) => {
    const key = criterion.toLowerCase();
    const list = criteria[place + 1];
    return (
      (key === 'host' || key === 'originalhost') &&
      list !== undefined &&
      !hostPatternsMatch(list.split(','), names[key])
    );
  });
}
