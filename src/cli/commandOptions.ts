import { InvalidArgumentError, type Command } from 'commander';
import { parseDuration } from '../time/duration.js';

/** The options of every command that talks to a cluster, as in kubectl. */
export function clusterOptions(command: Command): Command {
  return command
    .option(
      '--kubeconfig <file>',
      'kubeconfig file; default: $KUBECONFIG, then ~/.kube/config, then the service account of the pod',
    )
    .option('--context <name>', 'context of the kubeconfig');
}

/** Of an option that may be given several times: one value a time. */
export function repeated(value: string, before: readonly string[]): readonly string[] {
  return [...before, value];
}

/** Of an option that takes a text of at most so many characters. */
export function bounded(option: string, longest: number): (text: string) => string {
  return (text) => {
    if (text.length > longest) throw new InvalidArgumentError(`${option} takes at most ${String(longest)} characters.`);
    return text;
  };
}

const longestDurationDays = 30;

/** Of an option that takes a duration longer than nothing, and of at most 30 days; in milliseconds. */
export function durationMs(text: string): number {
  const parsed = parseDuration(text);
  if (parsed === undefined || parsed === 0) throw new InvalidArgumentError('Write it as 20s, 90m or 1d12h.');
  if (parsed > longestDurationDays * 86_400_000)
    throw new InvalidArgumentError(`At most ${String(longestDurationDays)} days.`);
  return parsed;
}
