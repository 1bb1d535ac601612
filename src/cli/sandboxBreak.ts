import { isRecord, parseJson, recordOf, stringOf, stringsOf } from '../cluster/json.js';
import type { FaultName } from '../sandbox/faults.js';
import { parseDuration } from '../time/duration.js';
import { TurnusError } from '../turnusError.js';
import { print, type CommandIo } from './io.js';
import { userAgentOf } from './userAgent.js';

export interface BreakOptions {
  readonly kubeconfig?: string;
  readonly for?: string;
}

/** Where a sandbox takes faults; no API server has such a path. */
const faultsPath = '/sandbox/faults';
const answerWithinMs = 10_000;

/** `turnus sandbox break`: asks the sandbox to break something. */
export async function breakCommand(
  io: CommandIo,
  asked: { readonly what: FaultName; readonly subject: string | undefined; readonly options: BreakOptions },
): Promise<number> {
  const { what, subject, options } = asked;
  const forMs = options.for === undefined ? undefined : parseDuration(options.for);
  if (options.for !== undefined && (forMs === undefined || forMs === 0)) {
    throw new TurnusError({
      code: 'usage',
      message: `--for ${options.for} is no duration.`,
      hint: 'Write it as 20s or 2m.',
    });
  }
  return await askSandbox(io, options, { verb: 'break', fault: what, subject, forMs });
}

/** `turnus sandbox mend`: asks the sandbox to mend a fault, or all of them. */
export async function mendCommand(
  io: CommandIo,
  asked: { readonly what: FaultName | undefined; readonly options: BreakOptions },
): Promise<number> {
  return await askSandbox(io, asked.options, { verb: 'mend', fault: asked.what });
}

async function askSandbox(
  io: CommandIo,
  options: BreakOptions,
  wish: Readonly<Record<string, unknown>>,
): Promise<number> {
  const path = options.kubeconfig ?? io.env['KUBECONFIG'] ?? '';
  if (path === '') {
    throw new TurnusError({
      code: 'no-kubeconfig',
      message: 'Which sandbox is meant is not said.',
      hint: 'Set KUBECONFIG to the kubeconfig that `turnus sandbox` has printed, or name it with --kubeconfig.',
    });
  }
  const { readKubeconfig } = await import('../kubernetes/kubeconfig.js');
  const selected = await readKubeconfig({ path });
  // A real cluster is not even asked.
  if (new URL(selected.server).hostname !== '127.0.0.1') throw noSandbox(path, selected.server);
  const { credentialsOf } = await import('../kubernetes/credentials.js');
  const { transport } = await import('../kubernetes/transport.js');
  const way = transport({
    server: selected.server,
    credentials: credentialsOf(selected, io.clock),
    userAgent: userAgentOf('sandbox break'),
    clock: io.clock,
    requestTimeoutMs: answerWithinMs,
  });
  try {
    const request = { method: 'POST', path: faultsPath, body: JSON.stringify(wish) } as const;
    const answer = await way.send(request, new AbortController().signal);
    if (answer.kind === 'unreachable') {
      throw new TurnusError({
        code: 'sandbox-unreachable',
        message: `No sandbox answers at ${selected.server}: ${answer.message}`,
        hint: 'Is it still running? `turnus sandbox` prints the kubeconfig of a new one.',
      });
    }
    const { sandbox } = recordOf(parseJson(answer.body));
    if (!isRecord(sandbox)) throw noSandbox(path, selected.server);
    const refused = stringOf(sandbox['refused']);
    if (refused !== undefined) throw new TurnusError({ code: 'fault-refused', message: refused });
    for (const message of stringsOf(sandbox['messages'])) await print(io, message);
    return 0;
  } finally {
    way.close();
  }
}

function noSandbox(kubeconfig: string, server: string): TurnusError {
  return new TurnusError({
    code: 'no-sandbox',
    message: `The kubeconfig ${kubeconfig} leads to ${server}, which is no sandbox; nothing was changed.`,
    hint: 'Set KUBECONFIG to the kubeconfig that `turnus sandbox` has printed.',
  });
}
