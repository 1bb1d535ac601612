import { beforeAll, describe, expect, it } from 'vitest';
import { keptAsked, type Asked } from './asked.js';
import { grantedByRoles, grants, textOf } from './granted.js';

/** By whose rights a command works, as docs/install.md says. */
const commandsOf: Readonly<Record<string, readonly string[]>> = {
  turnus: ['plan', 'explain', 'run', 'drain', 'doctor', 'serve'],
  'turnus-serve': ['serve'],
  'turnus-view': ['status', 'journal verify'],
  'turnus-operate': ['pause', 'resume', 'abort', 'abort-now', 'retry', 'retry-again', 'skip', 'accept'],
  'turnus-coverage': ['coverage'],
  'turnus-playbook-editor': ['trigger'],
};

/** Every authenticated user may ask about itself (ClusterRole system:basic-user of Kubernetes). */
const askedOfOneself = ['selfsubjectaccessreviews', 'selfsubjectreviews'];

/** `install` writes roles: it is for an administrator. */
const byAdministrators = ['install'];

/** Read by conditions of playbooks, whose roles `turnus install -f` makes: conditions.test.ts. */
const ofConditions = 'sim.test';

/** Granted, and hardly ever asked for in this suite. */
const usedElsewhere = [
  // Where an answer was lost, or somebody wrote in between (src/run/store.ts, stateWrite.ts): the nights of test/simulation.
  'turnus: get nodeturns.turnus.dev in turnus-system',
  // Looked at by the admission plugin OwnerReferencesPermissionEnforcement alone, when a turn names its run as owner.
  'turnus: update maintenanceruns.turnus.dev/finalizers in turnus-system',
];

/** Who looks and writes with kubectl needs what it asks for, beside what `status` and `trigger` do. */
const withKubectl: Readonly<Record<string, readonly string[]>> = {
  'turnus-view': ['get', 'list', 'watch'],
  'turnus-playbook-editor': ['get', 'list', 'watch', 'create', 'update', 'patch', 'delete'],
};

let asked: readonly Asked[] | undefined;

beforeAll(async () => {
  asked = (await keptAsked())?.filter(({ resource }) => !askedOfOneself.includes(resource));
});

describe('what Turnus asked of the API servers of the whole suite', () => {
  it('is granted by the roles of the command that asked', (context) => {
    if (asked === undefined) return context.skip('No scenario ran.');
    expect(asked.length).toBeGreaterThan(0);
    const roles = grantedByRoles();
    const beyond = asked
      .filter(({ command, group }) => !byAdministrators.includes(command) && group !== ofConditions)
      .filter(
        (each) => !roles.some((granted) => commandsOf[granted.role]?.includes(each.command) && grants(granted, each)),
      );
    expect([...new Set(beyond.map((each) => `${each.command}: ${textOf(each)}`))].sort()).toEqual([]);
  });

  it('is everything that these roles grant', (context) => {
    if (asked === undefined) return context.skip('No scenario ran.');
    const requests = asked;
    const unused = grantedByRoles()
      .filter(({ role, verb, group }) => group !== 'turnus.dev' || withKubectl[role]?.includes(verb) !== true)
      .filter(
        (granted) =>
          !requests.some((each) => commandsOf[granted.role]?.includes(each.command) && grants(granted, each)),
      );
    const named = unused.map((granted) => `${granted.role}: ${textOf(granted)}`).sort();
    expect(named.filter((each) => !usedElsewhere.includes(each))).toEqual([]);
  });
});
