import { shellQuote } from '../host/shellQuote.js';
import type { ScriptPolicy } from '../playbook/playbook.js';

/**
 * What the first lines of scripts call, each once: `#!/bin/bash -eu` calls `/bin/bash`, `#!/usr/bin/env python3` calls
 * `python3` as well. Validation has seen to it that there is such a line.
 */
export function interpretersOf(scripts: readonly Pick<ScriptPolicy, 'content'>[]): readonly string[] {
  return [...new Set(scripts.flatMap(({ content }) => calledBy(content.split('\n', 1)[0] ?? '')))].sort();
}

function calledBy(firstLine: string): readonly string[] {
  const [interpreter, ...words] = firstLine
    .replace(/^#!/, '')
    .split(/\s+/)
    .filter((word) => word !== '');
  if (interpreter === undefined) return [];
  if (!interpreter.endsWith('/env')) return [interpreter];
  // env takes options and variables before the program.
  const program = words.find((word) => !word.startsWith('-') && !word.includes('='));
  return program === undefined ? [interpreter] : [interpreter, program];
}

/** A command for a host that prints those that it does not have, one a line. Changes nothing. */
export function missingCommand(interpreters: readonly string[]): string {
  const words = interpreters.map(shellQuote).join(' ');
  return `for program in ${words}; do command -v "$program" >/dev/null || printf '%s\\n' "$program"; done`;
}
