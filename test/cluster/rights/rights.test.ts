import { beforeAll, describe, expect, it } from 'vitest';
import { keptAsked, type Asked } from './asked.js';
import { grantedByRoles, grants, textOf } from './granted.js';

/** By whose rights a command works, as docs/install.md says. */
const commandsOf: Readonly<Record<string, readonly string[]>> = {
  turnus: ['plan', 'explain', 'run', 'drain', 'doctor', 'serve'],
  'turnus-serve': ['serve'],
  'turnus-view': ['status', 'journal verify'],
  'turnus-operate': ['pause', 'resume', 'abort', 'abort-now', 'retry', 'skip', 'accept'],
  'turnus-coverage': ['coverage'],
  'turnus-playbook-editor': ['trigger'],
};

/** Every authenticated user may ask about itself (ClusterRole system:basic-user of Kubernetes). */
const askedOfOneself = ['selfsubjectaccessreviews', 'selfsubjectreviews'];

/** `install` writes roles: it is for an administrator. */
const byAdministrators = ['install'];

let asked: readonly Asked[];

beforeAll(async () => {
  asked = (await keptAsked()).filter(({ resource }) => !askedOfOneself.includes(resource));
});

describe('what Turnus asked of the API servers of the whole suite', () => {
  it('is granted by the roles of the command that asked', (context) => {
    if (asked.length === 0) context.skip('No scenario ran.');
    const roles = grantedByRoles();
    const beyond = asked
      .filter(({ command }) => !byAdministrators.includes(command))
      .filter(
        (each) => !roles.some((granted) => commandsOf[granted.role]?.includes(each.command) && grants(granted, each)),
      );
    expect([...new Set(beyond.map((each) => `${each.command}: ${textOf(each)}`))].sort()).toEqual([]);
  });

  it('is everything that these roles grant', (context) => {
    if (asked.length === 0) context.skip('No scenario ran.');
    const unused = grantedByRoles().filter(
      (granted) => !asked.some((each) => commandsOf[granted.role]?.includes(each.command) && grants(granted, each)),
    );
    expect(unused.map((granted) => `${granted.role}: ${textOf(granted)}`).sort()).toEqual([]);
  });
});
