import { describe, expect, it } from 'vitest';
import { parse } from 'yaml';
import type { ApiObject } from '../../src/cluster/clusterPort.js';
import type { PlaybookAnswer } from '../../src/playbook/loadPlaybook.js';
import { formatMistake } from '../../src/playbook/mistake.js';
import { loadPlaybookObject } from '../../src/playbook/objectPlaybook.js';
import type { Playbook } from '../../src/playbook/playbook.js';
import { readStoredPlaybook } from '../../src/playbook/storedPlaybook.js';
import { planHash } from '../../src/run/planHash.js';
import { filesInMemory, testNow } from './playbookFiles.js';

const clusterUid = '6f1c0a52-1111-4222-8333-444455556666';

const files: Readonly<Record<string, string>> = {
  'configmap:scripts/update.sh': '#!/bin/sh\necho reboot=no >>"$TURNUS_RESULT"\n',
  'configmap:scripts/words.txt': 'no script\n',
  'configmap:hosts/known_hosts': 'node-1 ssh-ed25519 AAAA\n',
  'secret:login/id_ed25519': 'key\n',
  'secret:days/freezes.ics': 'Top Secret\n',
  'secret:hook/empty': '\n',
  '/etc/turnus/hook.key': 'key\n',
};

/** A playbook object with other fields of `spec`, written as flow mappings or lines. */
function objectWith(...lines: string[]): ApiObject {
  const text = [
    'cluster: {uid: 6f1c0a52-1111-4222-8333-444455556666}',
    'host:',
    '  ssh:',
    '    user: maintenance',
    '    knownHosts: {configMapKeyRef: {name: hosts, key: known_hosts}}',
    '    identity: {secretKeyRef: {name: login, key: id_ed25519}}',
    '  update: {script: {configMapKeyRef: {name: scripts, key: update.sh}}}',
    ...lines,
  ].join('\n');
  return {
    apiVersion: 'turnus.dev/v1alpha1',
    kind: 'Playbook',
    metadata: { namespace: 'turnus-system', name: 'monthly', uid: 'u', resourceVersion: '7', annotations: { a: 'b' } },
    spec: parse(text) as unknown,
    status: { observedGeneration: 3 },
  };
}

async function load(object: ApiObject, readable = files): Promise<PlaybookAnswer> {
  return await loadPlaybookObject({ object, readFile: filesInMemory(readable), now: testNow });
}

async function loadGood(object: ApiObject, readable = files): Promise<Playbook> {
  const answer = await load(object, readable);
  if (answer.kind === 'invalid') throw new Error(answer.mistakes.map(formatMistake).join('\n'));
  return answer.playbook;
}

describe('a Playbook object', () => {
  it('takes its files from ConfigMaps and Secrets, and from absolute paths', async () => {
    const playbook = await loadGood(
      objectWith(
        'journal: {file: /var/log/turnus/journal}',
        'notify: {webhooks: [{url: "https://a.example/", secret: {path: /etc/turnus/hook.key}}]}',
      ),
    );
    expect(playbook).toMatchObject({
      name: 'monthly',
      journal: { kind: 'file', path: '/var/log/turnus/journal' },
      notify: { webhooks: [{ secretPath: '/etc/turnus/hook.key' }] },
      host: {
        ssh: { knownHosts: ['configmap:hosts/known_hosts'], identity: 'secret:login/id_ed25519' },
        scripts: { update: { path: 'configmap:scripts/update.sh', content: files['configmap:scripts/update.sh'] } },
      },
      files: [{ path: 'configmap:scripts/update.sh' }],
    });
  });

  it('needs neither apiVersion nor kind, which items of a list may lack', async () => {
    const { apiVersion: _version, kind: _kind, ...object } = objectWith();
    expect(await loadGood(object)).toEqual(await loadGood(objectWith()));
  });

  it.each([
    ['drain: {timout: 15m}', 'spec.drain.timout: unknown field; did you mean timeout?'],
    ['drain: {timeout: 15 min}', 'spec.drain.timeout: expected a duration such as 90s, 15m or 1h30m, not "15 min"'],
    [
      'settle:',
      'spec.settle: expected a mapping with time, timeout, but nothing is written there; fill it in or leave the field out',
    ],
    [
      'journal: {file: journal.ndjson}',
      'spec.journal.file: is not absolute, and a Playbook object lies in no directory; write the path of a file in the container',
    ],
    [
      'schedule: {freezes: [{name: A, calendar: {path: ~/a.ics}}]}',
      'spec.schedule.freezes[0].calendar.path: is not absolute, and a Playbook object lies in no directory; write the path of a file in the container, or name a key with configMapKeyRef or secretKeyRef',
    ],
    [
      'schedule: {freezes: [{name: A, calendar: {path: /a.ics}}]}',
      'spec.schedule.freezes[0].calendar.path: there is no file /a.ics in the container; mount it, or name a key with configMapKeyRef or secretKeyRef',
    ],
    [
      'schedule: {freezes: [{name: A, calendar: {configMapKeyRef: {name: A_B, key: a}}}]}',
      'spec.schedule.freezes[0].calendar.configMapKeyRef.name: expected the name of a ConfigMap, not "A_B"',
    ],
    [
      'schedule: {freezes: [{name: A, calendar: {path: /etc/turnus/hook.key, secretKeyRef: {name: hook, key: a}}}]}',
      'spec.schedule.freezes[0].calendar: expected exactly one of path, configMapKeyRef, secretKeyRef',
    ],
    [
      'notify: {webhooks: [{url: "https://a.example/", secret: {configMapKeyRef: {name: hook, key: a}}}]}',
      'spec.notify.webhooks[0].secret.configMapKeyRef: a ConfigMap is no place for a secret: others may read it; put it into a Secret and write secretKeyRef',
    ],
  ])('has the mistake, without a line: %s', async (line, expected) => {
    const answer = await load(objectWith(line));
    const mistakes = answer.kind === 'invalid' ? answer.mistakes : [];
    expect(mistakes.map(formatMistake)).toContain(`Playbook turnus-system/monthly ${expected}`);
    expect(mistakes[0]).not.toHaveProperty('line');
  });

  it.each([
    [
      'configMapKeyRef: {name: scripts, key: words.txt}',
      'configMapKeyRef: key words.txt of ConfigMap scripts does not begin with a #! line; begin it with one such as #!/bin/sh',
    ],
    ['configMapKeyRef: {name: none, key: a.sh}', 'configMapKeyRef: no such file'],
  ])('whose script is {%s} says what is wrong with it', async (reference, expected) => {
    const answer = await load(objectWith(`  join: {script: {${reference}}}`));
    expect(answer).toMatchObject({ kind: 'invalid', mistakes: [expect.anything()] });
    if (answer.kind === 'invalid')
      expect(answer.mistakes.map(formatMistake)).toEqual([
        `Playbook turnus-system/monthly spec.host.join.script.${expected}`,
      ]);
  });

  it('quotes nothing of a Secret', async () => {
    const answer = await load(
      objectWith(
        'schedule: {freezes: [{name: A, calendar: {secretKeyRef: {name: days, key: freezes.ics}}}]}',
        'notify: {webhooks: [{url: "https://a.example/", secret: {secretKeyRef: {name: hook, key: empty}}}]}',
      ),
    );
    const mistakes = answer.kind === 'invalid' ? answer.mistakes.map(formatMistake) : [];
    expect(mistakes).toEqual([
      'Playbook turnus-system/monthly spec.schedule.freezes[0].calendar.secretKeyRef: key freezes.ics of Secret days is no calendar that can be read: line 1',
      'Playbook turnus-system/monthly spec.notify.webhooks[0].secret.secretKeyRef: key empty of Secret hook is empty, and signs nothing',
    ]);
  });

  it.each<{ title: string; change: (object: ApiObject) => unknown; path: string }>([
    { title: 'no spec', change: ({ spec: _, ...object }) => object, path: 'spec' },
    { title: 'a spec of another type', change: (object) => ({ ...object, spec: [] }), path: 'spec' },
    { title: 'a misspelt field beside spec', change: (object) => ({ ...object, sepc: {} }), path: 'sepc' },
    {
      title: 'a name that no run can be named after',
      change: (object) => ({ ...object, metadata: { ...object.metadata, name: 'a.b' } }),
      path: 'metadata.name',
    },
    { title: 'another version', change: (object) => ({ ...object, apiVersion: 'turnus.dev/v2' }), path: 'apiVersion' },
  ])('that has $title is told so', async ({ change, path }) => {
    const answer = await load(change(objectWith()) as ApiObject);
    expect(answer.kind === 'invalid' ? answer.mistakes.map((mistake) => mistake.path) : []).toContain(path);
  });

  it('is warned of what it may, and that has no line either', async () => {
    const answer = await load(objectWith('schedule: {windows: [{from: 2020-01-01T22:00, duration: 1h}]}'));
    expect(answer.kind === 'ok' ? answer.warnings.map(formatMistake) : []).toEqual([
      expect.stringMatching(/^Playbook turnus-system\/monthly spec\.schedule\.windows: none opens in the year after/),
    ]);
  });
});

describe('the plan hash of a Playbook object', () => {
  const script = 'configmap:scripts/update.sh';

  it('is another one where the script in its ConfigMap has another content', async () => {
    const before = planHash({ clusterUid, playbook: await loadGood(objectWith()) });
    const changed = { ...files, [script]: `${files[script] ?? ''}# mended\n` };
    expect(planHash({ clusterUid, playbook: await loadGood(objectWith(), changed) })).not.toBe(before);
    expect(planHash({ clusterUid, playbook: await loadGood(objectWith()) })).toBe(before);
  });

  it('is the same where only the key in a Secret was replaced, or who is told', async () => {
    const before = planHash({ clusterUid, playbook: await loadGood(objectWith()) });
    const changed = { ...files, 'secret:login/id_ed25519': 'another\n' };
    const object = objectWith('journal: {stdout: true}');
    expect(planHash({ clusterUid, playbook: await loadGood(object, changed) })).toBe(before);
  });
});

describe('what a run keeps of a Playbook object', () => {
  it('is understood, with the files by their names', async () => {
    const playbook = await loadGood(objectWith());
    const stored = readStoredPlaybook(JSON.stringify(playbook.normalised));
    expect(stored?.host).toMatchObject({
      ssh: playbook.host.ssh,
      scripts: { update: { path: 'configmap:scripts/update.sh' } },
    });
    expect(stored?.drain).toEqual(playbook.drain);
  });
});
