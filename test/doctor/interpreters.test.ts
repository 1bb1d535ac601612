import { execFileSync } from 'node:child_process';
import { describe, expect, it } from 'vitest';
import { interpretersOf, missingCommand } from '../../src/doctor/interpreters.js';

describe('the interpreters of scripts', () => {
  it.each<[string, string[]]>([
    ['#!/bin/sh\ntrue\n', ['/bin/sh']],
    ['#! /bin/bash -eu\n', ['/bin/bash']],
    ['#!/usr/bin/env python3\n', ['/usr/bin/env', 'python3']],
    ['#!/usr/bin/env -S LANG=C perl -w\n', ['/usr/bin/env', 'perl']],
    ['#!/usr/bin/env\n', ['/usr/bin/env']],
    ['#!/bin/sh', ['/bin/sh']],
  ])('are what the first line of %j calls', (content, expected) => {
    expect(interpretersOf([{ content }])).toEqual(expected);
  });

  it('are named once', () => {
    const scripts = ['#!/bin/sh\n', '#!/bin/bash\n', '#!/bin/sh\nexit 1\n'].map((content) => ({ content }));
    expect(interpretersOf(scripts)).toEqual(['/bin/bash', '/bin/sh']);
  });

  it('that a host does not have are what the command for it prints', () => {
    const command = missingCommand(['/bin/sh', "it's not there", '/nowhere/python3', 'sh']);
    const said = execFileSync('/bin/sh', ['-c', command], { encoding: 'utf8' });
    expect(said).toBe("it's not there\n/nowhere/python3\n");
  });
});
