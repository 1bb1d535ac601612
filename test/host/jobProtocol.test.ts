import { execFileSync, spawnSync } from 'node:child_process';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { parseJobAnswers } from '../../src/host/jobAnswers.js';
import { defaultHostLayout, jobDirectory } from '../../src/host/jobDirectory.js';
import { checkProgram } from '../../src/host/hostPrograms.js';
import { wholeCharacters } from '../../src/host/jobReading.js';
import { commandLine, parseAnswer, programInput } from '../../src/host/remoteProgram.js';
import { shellQuote } from '../../src/host/shellQuote.js';

const text = fc.string({
  unit: fc.oneof(
    fc.constantFrom("'", '"', '\\', '$', '`', '\n', '!', '*', ' '),
    fc.string({ unit: 'binary', minLength: 1, maxLength: 1 }),
  ),
});

describe('shellQuote', () => {
  test('gives a word that /bin/sh takes for exactly this text', () => {
    fc.assert(
      fc.property(
        text.filter((each) => !each.includes('\0')),
        (each) => {
          expect(execFileSync('/bin/sh', ['-c', `printf %s ${shellQuote(each)}`]).toString('utf8')).toBe(each);
        },
      ),
      { numRuns: 60 },
    );
  });

  test('refuses a NUL, which no word can hold', () => {
    expect(() => shellQuote('a\0b')).toThrow(RangeError);
  });
});

describe('a program for the host', () => {
  const attempt = (input: Buffer) =>
    spawnSync('/bin/sh', ['-c', commandLine({ sudo: false })], { input, stdio: ['pipe', 'pipe', 'ignore'] }).stdout;
  const run = (input: Buffer) =>
    execFileSync('/bin/sh', ['-c', commandLine({ sudo: false })], { input, stdio: ['pipe', 'pipe', 'ignore'] });

  test('reads its input and answers in fields and bytes, whatever was said before it', () => {
    const input = programInput(
      {
        restricted: undefined,
        text: `answer "length=$(cat | wc -c | tr -d ' ')" 'equals=a=b' "second=$2"; printf 'body\\n\\nend'`,
        values: ['one', "it's $2"],
        input: 'é\n',
      },
      defaultHostLayout,
    );
    const answer = parseAnswer(Buffer.concat([Buffer.from('Welcome!\n'), run(input)]));
    expect(answer?.fields).toEqual(
      new Map([
        ['length', '3'],
        ['equals', 'a=b'],
        ['second', "it's $2"],
      ]),
    );
    expect(answer?.body.toString()).toBe('body\n\nend');
  });

  test('that was cut on the way does nothing', () => {
    const whole = programInput(
      { restricted: undefined, text: `answer ran=yes`, values: ['one', 'two'], input: '' },
      defaultHostLayout,
    );
    fc.assert(
      fc.property(fc.integer({ min: 0, max: whole.length - 1 }), (length) => {
        let output: Buffer;
        try {
          output = run(whole.subarray(0, length));
        } catch {
          return; // the shell said what is wrong with it
        }
        expect(output.toString()).toBe('');
      }),
      { numRuns: 60, examples: Array.from({ length: 60 }, (_, back) => [whole.length - 1 - back]) },
    );
  });

  test('does not run a command of a health check that was cut on the way', () => {
    const whole = programInput(checkProgram('echo ran; echo all\n\n', 5000), defaultHostLayout);
    expect(run(whole).toString()).toContain('ran\nall\n');
    expect(parseAnswer(attempt(whole.subarray(0, -8)))?.fields.get('failed')).toBe('the command did not arrive whole');
  });

  test('is not taken for answered when the answer is cut', () => {
    expect(parseAnswer(Buffer.from('turnus-answer 1\nstate=ru'))).toBeUndefined();
    expect(parseAnswer(Buffer.from(''))).toBeUndefined();
  });
});

describe('parseJobAnswers', () => {
  test('takes the known lines, lets later ones win and keeps the others', () => {
    const answers = parseJobAnswers(
      'reboot=no\nchanged=yes\r\nversion.kernel=6.1\nversion.kernel=6.2=x\n\nreboot=required\nreboot=maybe\nhello\n',
    );
    expect(answers).toEqual({
      reboot: 'required',
      changed: 'yes',
      versions: { kernel: '6.2=x' },
      unknownLines: ['reboot=maybe', 'hello'],
    });
  });

  test('knows nothing of an empty file', () => {
    expect(parseJobAnswers('')).toEqual({ reboot: undefined, changed: undefined, versions: {}, unknownLines: [] });
  });

  test('stays bounded, and never throws, whatever a script writes', () => {
    fc.assert(
      fc.property(
        fc.array(fc.oneof(text, fc.constantFrom('reboot=required', 'version.__proto__=1', 'version.a=b')), {
          maxLength: 300,
        }),
        (lines) => {
          const answers = parseJobAnswers(lines.join('\n'));
          expect(answers.unknownLines.length).toBeLessThanOrEqual(10);
          expect(Object.keys(answers.versions).length).toBeLessThanOrEqual(100);
          for (const value of [...answers.unknownLines, ...Object.values(answers.versions)])
            expect(value.length).toBeLessThanOrEqual(256);
        },
      ),
    );
  });
});

describe('wholeCharacters', () => {
  test('cuts valid text only between characters, and loses at most three bytes', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary' }), fc.nat(), (each, cut) => {
        const bytes = Buffer.from(each);
        const part = bytes.subarray(0, cut % (bytes.length + 1));
        const whole = wholeCharacters(part);
        expect(each.startsWith(part.toString('utf8', 0, whole))).toBe(true);
        expect(part.length - whole).toBeLessThanOrEqual(3);
      }),
    );
  });
});

describe('jobDirectory', () => {
  const key = { runUid: '6f1c', node: 'node-1.example', stage: 'update', execution: 2 } as const;

  test('names run, node, stage and execution', () => {
    expect(jobDirectory(defaultHostLayout, key).job).toBe('/var/lib/turnus/jobs/6f1c/node-1.example.update.2');
  });

  test.each([
    { runUid: '..' },
    { runUid: '' },
    { node: '/etc' },
    { node: '.upload.x' },
    { node: 'a b' },
    { node: 'a\nb' },
    { execution: 0 },
    { execution: 1.5 },
  ])('refuses %o', (change) => {
    expect(() => jobDirectory(defaultHostLayout, { ...key, ...change })).toThrow(
      expect.objectContaining({ code: 'job-key-invalid' }),
    );
  });
});
