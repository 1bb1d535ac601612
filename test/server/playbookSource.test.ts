import { describe, expect, it } from 'vitest';
import { judgePlaybook } from '../../src/server/playbooks/inForce.js';
import { fileSource } from '../../src/server/playbooks/playbookSource.js';
import { systemClock } from '../../src/systemClock.js';
import { filesInMemory } from '../playbook/playbookFiles.js';
import { clusterUid } from './readPlaybooks.js';

function textOf(name: string, more = ''): string {
  return `apiVersion: turnus.dev/v1alpha1
kind: Playbook
metadata: {name: ${name}}
spec:
  cluster: {uid: ${clusterUid}}
  journal: {stdout: true}
  host: {ssh: {user: m, knownHosts: {path: /etc/known_hosts}}, update: {script: {path: /etc/update.sh}}}
${more}`;
}

describe('playbooks that are files', () => {
  const always = { '/etc/known_hosts': '', '/etc/update.sh': '#!/bin/sh\ntrue\n' };
  let now: Record<string, string> = {};
  const readFile = (path: string) => filesInMemory({ ...always, ...now })(path);
  const of = (files: string[]) => fileSource({ readFile, clock: systemClock, files, homeDirectory: '/' });

  it('keep their name while they have mistakes, so that the former version stays in force', async () => {
    const source = of(['/team/a.yaml']);
    now = { '/team/a.yaml': textOf('monthly') };
    const question = { clusterUid, unfinished: [], now: 0 };
    const [good] = await source.read();
    if (good === undefined) throw new Error('nothing was read');
    const { inForce } = judgePlaybook({ ...question, read: good, remembered: undefined });
    for (const text of [undefined, textOf('monthly', '  settle: {time: never}')]) {
      now = text === undefined ? {} : { '/team/a.yaml': text };
      const [bad] = await source.read();
      expect(bad).toMatchObject({ key: '/team/a.yaml', name: 'monthly', answer: { kind: 'invalid' } });
      if (bad !== undefined)
        expect(judgePlaybook({ ...question, read: bad, remembered: inForce }).inForce).toBe(inForce);
    }
  });

  it('are refused where another has their name', async () => {
    const source = of(['/team/a.yaml', '/team/b.yaml']);
    now = { '/team/a.yaml': textOf('monthly'), '/team/b.yaml': textOf('weekly') };
    expect((await source.read()).map(({ name }) => name)).toEqual(['monthly', 'weekly']);
    now = { ...now, '/team/b.yaml': textOf('monthly') };
    expect(await source.read()).toMatchObject([
      { name: 'monthly', answer: { kind: 'ok' } },
      { name: 'weekly', answer: { kind: 'invalid', mistakes: [{ path: 'metadata.name' }] } },
    ]);
  });
});
