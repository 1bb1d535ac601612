import { spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { openRunConsole } from '../../src/console/runConsole.js';
import { systemClock } from '../../src/systemClock.js';
import { runState } from '../run/runFixtures.js';

/** Plays a run on the terminal that it is started on, for terminal.test.ts. `killed`: dies in the middle. */
const ending = process.argv[2];
const started = new Date(Date.now() - 60_000).toISOString();
const wait = {
  what: 'budget shop/cart: 2 of 3 Ready, so nothing may leave until one more of them is Ready on another node',
  since: started,
  until: new Date(Date.now() + 600_000).toISOString(),
  who: 'Deployment shop/cart',
};
const work = (podsLeft: number) => ({ phase: 'Draining', startedAt: started, podsLeft, waitingFor: wait });

/** Says where in the output the terminal got another size, sets it, and waits until the console has heard of it. */
async function resize(columns: number, rows: number): Promise<void> {
  const heard = once(process.stderr, 'resize');
  process.stderr.write(`\u001b]777;${String(columns)};${String(rows)}\u0007`);
  spawnSync('stty', ['cols', String(columns), 'rows', String(rows)], { stdio: 'inherit' });
  await heard;
}

const screen = openRunConsole({ stream: process.stderr, env: process.env, clock: systemClock });
screen.log('Plan 0123456789ab: 3 nodes, 3 can have their turn now');
screen.change(runState({ 'node-1': work(9), 'node-2': 'Pending', 'node-3': 'Pending' }, { startedAt: started }));
screen.log('The lease turnus-system/turnus is held by anna@laptop; it is taken over if that one is dead.');
screen.stream.write('warning: pods cannot be followed: connection refused\nwarning: they are followed again\n');
if (ending === 'killed') process.kill(process.pid, 'SIGKILL');
await resize(50, 16);
screen.change(runState({ 'node-1': 'Done', 'node-2': work(4), 'node-3': 'Pending' }, { startedAt: started }));
screen.log('between two sizes, a message that is longer than the narrow terminal is wide');
await resize(100, 30);
screen.change(runState({ 'node-1': 'Done', 'node-2': 'Done', 'node-3': work(1) }, { startedAt: started }));
await resize(70, 12);
screen.end(
  runState({ 'node-1': 'Done', 'node-2': 'Done', 'node-3': 'Failed' }, { phase: 'Failed', startedAt: started }),
);
screen.log('Run monthly-2026-11 has stopped after a failure.');
