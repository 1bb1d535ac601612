import { Readable } from 'node:stream';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { defaultHostLayout } from '../../../src/host/jobDirectory.js';
import { startProgram } from '../../../src/host/jobPrograms.js';
import { commandLine, programInput } from '../../../src/host/remoteProgram.js';
import { isProgramCall, mapProgramPaths } from '../../../src/sandbox/hosts/programPaths.js';
import { jobOf } from './hostsFixture.js';

const host = '/var/lib/turnus/hosts/node-1';

async function mapped(input: Buffer, cuts: readonly number[]): Promise<string> {
  const ends = [...cuts.map((cut) => cut % (input.length + 1)), input.length].sort((a, b) => a - b);
  const chunks = ends.map((end, index) => input.subarray(ends[index - 1] ?? 0, end));
  const out: Buffer[] = [];
  for await (const chunk of Readable.from(chunks).pipe(mapProgramPaths(host))) out.push(chunk as Buffer);
  return Buffer.concat(out).toString();
}

describe("the paths of Turnus' programs", () => {
  const script = '#!/bin/sh\necho "/var/lib/turnus grüsst"\n';
  const input = programInput(startProgram(jobOf('node-1', script)), defaultHostLayout);

  test('lead into the directory of the host, wherever the input is cut; the script stays as it is', async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(fc.nat(), { maxLength: 5 }), async (cuts) => {
        const text = await mapped(input, cuts);
        const lineEnd = text.indexOf('\n');
        const length = Number(text.slice(0, lineEnd));
        const body = Buffer.from(text.slice(lineEnd + 1));
        const program = body.subarray(0, length).toString();
        expect(body.subarray(length).toString()).toBe(script);
        expect(program).toContain(`base='${host}/var/lib/turnus'`);
        expect(program).toContain(`boot_id_path='${host}/proc/sys/kernel/random/boot_id'`);
        expect(program.replaceAll(`${host}/`, '').match(/\/(?:var\/lib\/turnus|run\/systemd|proc\/sys)/g)).toBeNull();
      }),
      { numRuns: 50 },
    );
  });

  test('are not passed on in a program that does not arrive whole', async () => {
    const programLength = input.length - Buffer.byteLength(script);
    await fc.assert(
      fc.asyncProperty(fc.integer({ min: 0, max: programLength - 1 }), async (length) => {
        expect(await mapped(input.subarray(0, length), [])).toBe('');
      }),
      { numRuns: 50 },
    );
  });

  test('are looked for only behind the command line by which Turnus hands its programs over', () => {
    expect(isProgramCall(commandLine({ sudo: true }))).toBe(true);
    expect(isProgramCall(commandLine({ sudo: false }))).toBe(true);
    expect(isProgramCall('cat /var/lib/turnus/reboot-requested')).toBe(false);
  });
});
