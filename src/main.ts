#!/usr/bin/env node
import { setMaxListeners } from 'node:events';
import { setFlagsFromString } from 'node:v8';
import { runCommandLine } from './cli/commandLine.js';
import { systemClock } from './systemClock.js';

// A run waits far more than it computes: give memory back rather than keep it for speed.
setFlagsFromString('--optimize-for-size');

// Every wait of a run listens to the same few signals; more than this would be a leak.
setMaxListeners(500);

process.exitCode = await runCommandLine({
  argv: process.argv.slice(2),
  env: process.env,
  stdin: process.stdin,
  stdout: process.stdout,
  stderr: process.stderr,
  clock: systemClock,
  random: Math.random,
  exit: (exitCode) => process.exit(exitCode),
  onSignal: (signal, listener) => {
    process.on(signal, listener);
  },
});
