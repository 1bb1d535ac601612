import { formatMistake } from '../playbook/mistake.js';
import { print, say, type CommandIo } from './io.js';
import { readPlaybook } from './openPlaybook.js';

/** `turnus validate`: every mistake at once, as `file:line:column path: what is wrong`; exit 2 where there is one. */
export async function validateCommand(io: CommandIo, options: { readonly file: string }): Promise<number> {
  const answer = await readPlaybook(io, options.file);
  if (answer.kind === 'invalid') {
    for (const mistake of answer.mistakes) await print(io, formatMistake(mistake));
    return 2;
  }
  for (const warning of answer.warnings) say(io, `warning: ${formatMistake(warning)}`);
  say(io, `${options.file}: playbook ${answer.playbook.name} is valid.`);
  return 0;
}
