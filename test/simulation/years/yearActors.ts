import type { JournalEntry } from '../../../src/journal/entry.js';
import type { Playbook } from '../../../src/playbook/playbook.js';
import type { SimulatedApi } from '../../../src/sandbox/api/simulatedApi.js';
import { simulatedPort } from '../../../src/sandbox/api/simulatedPort.js';
import type { SeededRandom } from '../../../src/sandbox/seededRandom.js';
import { runActor, type Actor, type ActorEnd } from '../actor.js';
import { actorLife, mortalClock } from '../actorLife.js';
import type { CallEnd } from '../operator.js';
import type { SimulatedHosts } from '../simulatedHosts.js';
import { unreliablePort } from '../unreliablePort.js';
import type { VirtualTime } from '../virtualTime.js';
import type { Weather } from '../weather.js';
import type { Witness } from '../witness.js';
import type { YearCall } from './year.js';

export interface YearActors {
  /** Starts the command; answers when it has ended or its machine has gone down. */
  start(crash?: YearCall['crash']): Promise<CallEnd>;
}

/** Starts one actor after the other, each over ports of its own and with a life that may end. */
export function yearActors(parts: {
  readonly api: SimulatedApi;
  readonly time: VirtualTime;
  readonly random: SeededRandom;
  readonly weather: Weather;
  readonly hosts: SimulatedHosts;
  readonly playbook: Playbook;
  readonly witnesses: readonly Witness[];
  readonly journal: JournalEntry[];
  readonly log: (line: string) => void;
  /** Hears of an error that is none of Turnus' own. */
  readonly onError: (actor: string, error: unknown) => void;
}): YearActors {
  const { api, time, random, weather, hosts, playbook, witnesses, journal, log, onError } = parts;
  let actors = 0;
  const sink = {
    name: 'the journal of the year',
    write: (entry: JournalEntry) => {
      journal.push(entry);
      return Promise.resolve();
    },
    close: () => Promise.resolve(),
  };
  return {
    async start(crash) {
      actors += 1;
      const actor = `actor-${String(actors)}`;
      const life = actorLife(crash);
      const caller = { actor, time, random: random.fork(), life, witnesses };
      const own = random.fork();
      const tell = (what: 'begins' | 'crashes' | 'ends', exitCode?: number) => {
        log(`${actor} ${what}${exitCode === undefined ? '' : ` with ${String(exitCode)}`}`);
        const event = { actor, what, ...(exitCode === undefined ? {} : { exitCode }) };
        for (const witness of witnesses) witness.actor?.(event);
      };
      const crashed = new Promise<CallEnd>((resolve) => {
        life.whenCrashed(() => {
          tell('crashes');
          resolve({ kind: 'crashed', restartAfterMs: crash?.restartAfterMs ?? Number.POSITIVE_INFINITY });
        });
      });
      tell('begins');
      const running = callCommand({
        name: actor,
        playbook,
        cluster: unreliablePort({
          ...caller,
          port: simulatedPort({ api, caller: 'operator' }),
          weather,
          version: () => api.version(),
        }),
        hosts: hosts.ports({ ...caller, weather }),
        clock: mortalClock(time, life),
        random: () => own.next(),
        sinks: [sink],
        stop: new AbortController().signal,
        knowsPast: true,
        log: (line) => {
          log(`${actor}: ${line}`);
        },
      }).catch((error: unknown): ActorEnd => {
        onError(actor, error);
        return { exitCode: 1, error: 'unexpected' };
      });
      const ended = running.then((end): CallEnd => {
        tell('ends', end.exitCode);
        return { kind: 'ended', end };
      });
      return await Promise.race([ended, crashed]);
    },
  };
}

/** What a run of a month that is over has in work is finished first; then comes this month's (src/cli/run.ts). */
async function callCommand(actor: Actor): Promise<ActorEnd> {
  const former = await runActor(actor);
  return former.isFormer === true && [0, 3, 5].includes(former.exitCode) ? await runActor(actor) : former;
}
