import { loadPlaybook, type PlaybookAnswer } from '../playbook/loadPlaybook.js';
import { formatMistake } from '../playbook/mistake.js';
import type { Playbook } from '../playbook/playbook.js';
import { TurnusError } from '../turnusError.js';
import { homeDirectory, say, type CommandIo } from './io.js';
import { readFile } from './readFile.js';

/** The playbook in `file` with every mistake it has. */
export async function readPlaybook(io: CommandIo, file: string): Promise<PlaybookAnswer> {
  return await loadPlaybook({ file, readFile, homeDirectory: homeDirectory(io), now: io.clock.now() });
}

/** The playbook in `file`; refuses an invalid one with its mistakes (exit 2), and says warnings. */
export async function openPlaybook(io: CommandIo, file: string): Promise<Playbook> {
  const answer = await readPlaybook(io, file);
  if (answer.kind === 'ok') {
    for (const warning of answer.warnings) say(io, `warning: ${formatMistake(warning)}`);
    return answer.playbook;
  }
  for (const mistake of answer.mistakes) say(io, formatMistake(mistake));
  const count = answer.mistakes.length === 1 ? 'one mistake' : `${String(answer.mistakes.length)} mistakes`;
  throw new TurnusError({
    code: 'playbook-invalid',
    message: `The playbook ${file} has ${count}; nothing was touched.`,
  });
}
