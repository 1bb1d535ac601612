import { execFileSync } from 'node:child_process';
import { readFile, stat } from 'node:fs/promises';
import { describe, expect, test } from 'vitest';
import { isInstalled } from '../playbook/shippedFiles.js';
import { restrictedCommandLine, turnusHostScript } from '../../src/host/turnusHost.js';

const shipped = new URL('../../deploy/turnus-host', import.meta.url);

describe('deploy/turnus-host', () => {
  test('is what this Turnus speaks with (npm run turnus-host)', async () => {
    expect(await readFile(shipped, 'utf8')).toBe(turnusHostScript());
    expect((await stat(shipped)).mode & 0o111).toBe(0o111);
  });

  test('is a program that /bin/sh understands', () => {
    execFileSync('/bin/sh', ['-n', shipped.pathname]);
  });

  test.skipIf(!isInstalled('shellcheck'))('has nothing that shellcheck warns of', () => {
    execFileSync('shellcheck', ['--shell=sh', '--severity=warning', shipped.pathname]);
  });
});

describe('what a restricted key is asked for', () => {
  test('is a line of plain words', () => {
    expect(restrictedCommandLine('read', ['6f1c', 'node-1.update.1', '0'])).toBe(
      'turnus-host 1 read 6f1c node-1.update.1 0',
    );
  });

  test.each(['', '-x', 'a b', 'a;b', '$(a)', '../a', 'a/b', 'é', 'a\nb'])('takes no word like %j', (word) => {
    expect(() => restrictedCommandLine('read', [word])).toThrow(RangeError);
  });
});
