import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { parseSshConfig } from '../../src/ssh/sshConfigFile.js';

const wordsOf = (line: string) => parseSshConfig(line, 'config').sections[0]?.directives[0]?.words;
const faultOf = (line: string) => parseSshConfig(line, 'config').sections[0]?.directives[0]?.fault;

describe('a line', () => {
  test.each([
    ['User ops', ['ops']],
    ['  User\tops  ', ['ops']],
    ['User=ops', ['ops']],
    ['User = ops', ['ops']],
    ['User ops\r', ['ops']],
    ['User ops # the team', ['ops']],
    ['User o#ps', ['o#ps']],
    ['User "ops team"', ['ops team']],
    ["User 'ops team'", ['ops team']],
    ['User a"b c"d', ['ab cd']],
    [String.raw`User a\ b`, ['a b']],
    [String.raw`User "a\"b"`, ['a"b']],
    [String.raw`User a\b`, [String.raw`a\b`]],
    ['User ""', ['']],
    ['User a  b', ['a', 'b']],
    ['User ==a', ['=a']],
  ])('%j has the words %j', (line, words) => {
    expect(wordsOf(line)).toEqual(words);
  });

  test.each([
    ['User', 'has no value'],
    ['User   # none', 'has no value'],
    ['User "ops', 'has a quote that is not closed'],
    ["User o'ps", 'has a quote that is not closed'],
    ['User o\0ps', 'has a control character'],
    ['User ops\rPort 23', 'has a control character'],
    [`User ${'a'.repeat(5000)}`, 'has more than 4096 characters'],
  ])('%j is kept with its fault', (line, fault) => {
    expect(wordsOf(line)).toEqual([]);
    expect(faultOf(line)).toBe(fault);
  });

  test.each(['', '   ', '# User ops', '\t# User ops', '\r'])('%j is nothing', (line) => {
    expect(parseSshConfig(line, 'config').sections[0]?.directives).toEqual([]);
  });
});

test('lines belong to the Host or Match above them, and know their place', () => {
  const text = 'User all\n\nHost a !b\r\n  Port 1\n# comment\nMATCH all\nPort 2\nHost\nPort 3\nhost "c d"';
  expect(parseSshConfig(text, '/home/ops/config').sections).toMatchObject([
    { scope: { kind: 'every-host' }, directives: [{ where: '/home/ops/config:1', keyword: 'User' }] },
    { where: '/home/ops/config:3', scope: { kind: 'host', patterns: ['a', '!b'] }, directives: [{ words: ['1'] }] },
    { where: '/home/ops/config:6', scope: { kind: 'match', criteria: ['all'] }, directives: [{ words: ['2'] }] },
    { where: '/home/ops/config:8', scope: { kind: 'unclear', fault: 'has no value' }, directives: [{ words: ['3'] }] },
    { where: '/home/ops/config:10', scope: { kind: 'host', patterns: ['c d'] }, directives: [] },
  ]);
});

describe('whatever stands in the file', () => {
  const piece = fc.constantFrom(
    'Host ',
    'Match ',
    'User ',
    '\n',
    '\r',
    '\0',
    '"',
    "'",
    '\\',
    '#',
    '=',
    '*',
    'a',
    ' ',
    '\t',
  );
  const text = fc.oneof(
    fc.string({ unit: 'binary', maxLength: 300 }),
    fc.array(piece, { maxLength: 80 }).map((all) => all.join('')),
  );

  test('every line that is neither empty nor a comment is kept, once', () => {
    fc.assert(
      fc.property(text, (content) => {
        const { sections } = parseSshConfig(content, 'config');
        const places = sections.flatMap(({ where, directives }) => [where, ...directives.map((each) => each.where)]);
        const lines = content.split('\n').flatMap((line, index) => {
          const trimmed = line.replace(/^[ \t\r]+/, '').replace(/[ \t\r\f]+$/, '');
          return trimmed === '' || trimmed.startsWith('#') ? [] : [`config:${String(index + 1)}`];
        });
        expect(places).toEqual(['config', ...lines]);
      }),
    );
  });

  test('words that are quoted come out as they went in', () => {
    fc.assert(
      fc.property(
        fc.array(fc.string({ unit: fc.constantFrom('a', ' ', '#', '"', "'", '\\', '=', 'é') }), { minLength: 1 }),
        (words) => {
          const quoted = words.map((word) => `"${word.replaceAll('\\', '\\\\').replaceAll('"', String.raw`\"`)}"`);
          expect(wordsOf(`Host ${quoted.join(' ')}`.replace('Host', 'User'))).toEqual(words);
        },
      ),
    );
  });

  test('it is read in little time', () => {
    const long = `Host ${'*a'.repeat(2000)}\n${'User "'.repeat(500)}\n`.repeat(200);
    const before = performance.now();
    parseSshConfig(long, 'config');
    expect(performance.now() - before).toBeLessThan(2000);
  });
});
