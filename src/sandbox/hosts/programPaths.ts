import { Transform } from 'node:stream';
import { defaultHostLayout } from '../../host/jobDirectory.js';
import { commandLine } from '../../host/remoteProgram.js';

/** Paths that Turnus' programs name and that lead into the host's own directory. */
const mappedPaths = [
  defaultHostLayout.baseDirectory,
  defaultHostLayout.bootIdPath,
  // Where it is a directory systemd is process 1; a host of the sandbox has no systemd, whatever the machine has.
  '/run/systemd/system',
] as const;

/** True for the command line by which Turnus hands a program to a host (src/host/remoteProgram.ts). */
export function isProgramCall(command: string): boolean {
  return command === commandLine({ sudo: false }) || command === commandLine({ sudo: true });
}

/** A path of the host as the machine sees it. */
export function pathOnHost(hostDirectory: string, path: string): string {
  return `${hostDirectory}${path}`;
}

/**
 * The standard input of a program call, with the paths in the program led into the host's directory: the host has no
 * file system of its own. What follows the program (a script, a command) passes as it is. A program that does not
 * arrive whole is not passed on: nothing of it would run.
 */
export function mapProgramPaths(hostDirectory: string): Transform {
  let waiting: Buffer | undefined = Buffer.alloc(0);
  return new Transform({
    transform(chunk: Buffer, _encoding, done) {
      if (waiting === undefined) {
        done(null, chunk);
        return;
      }
      waiting = Buffer.concat([waiting, chunk]);
      const program = wholeProgram(waiting);
      if (program !== undefined) {
        waiting = undefined;
        const text = mapPaths(program.text, hostDirectory);
        this.push(`${String(Buffer.byteLength(text))}\n${text}`);
        this.push(program.rest);
      }
      done();
    },
  });
}

/** The program that an input begins with: its length in bytes on a line of its own, then the text. */
function wholeProgram(input: Buffer): { readonly text: string; readonly rest: Buffer } | undefined {
  const lineEnd = input.indexOf('\n');
  if (lineEnd === -1) return undefined;
  const start = lineEnd + 1;
  const end = start + Number(input.toString('latin1', 0, lineEnd));
  if (!(input.length >= end)) return undefined;
  return { text: input.toString('utf8', start, end), rest: input.subarray(end) };
}

/** In one pass: the host's directory may itself lie below one of the paths. */
function mapPaths(text: string, hostDirectory: string): string {
  return text.replaceAll(new RegExp(mappedPaths.join('|'), 'g'), (path) => pathOnHost(hostDirectory, path));
}
