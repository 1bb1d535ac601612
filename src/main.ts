#!/usr/bin/env node
import { runCommandLine } from './cli/commandLine.js';
import { systemClock } from './systemClock.js';

process.exitCode = await runCommandLine({
  argv: process.argv.slice(2),
  env: process.env,
  stdin: process.stdin,
  stdout: process.stdout,
  stderr: process.stderr,
  clock: systemClock,
  random: Math.random,
  onSignal: (signal, listener) => {
    process.on(signal, listener);
  },
});
