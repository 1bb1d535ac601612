import { parse } from 'yaml';
import type { ApiObject } from '../../src/cluster/clusterPort.js';
import { loadPlaybookObject } from '../../src/playbook/objectPlaybook.js';
import type { PlaybookStatus } from '../../src/playbook/playbookStatus.js';
import { planHash } from '../../src/run/planHash.js';
import type { InForce } from '../../src/server/playbooks/inForce.js';
import type { ReadPlaybook } from '../../src/server/playbooks/playbookSource.js';
import { filesInMemory, testNow } from '../playbook/playbookFiles.js';

export const clusterUid = '6f1c0a52-1111-4222-8333-444455556666';
export const namespace = 'turnus-system';

export const script = '#!/bin/sh\necho reboot=no >>"$TURNUS_RESULT"\n';

/** A spec whose second Tuesday begins at `opens` o'clock UTC. */
export function specWith(change: { opens?: number; more?: string } = {}): unknown {
  const { opens = 22, more = 'journal: {stdout: true}' } = change;
  const text = `
cluster: {uid: ${clusterUid}}
schedule: {timeZone: UTC, windows: [{opens: "0 ${String(opens)} * * 2#2", duration: 6h}]}
host:
  ssh:
    user: maintenance
    knownHosts: {configMapKeyRef: {name: hosts, key: known_hosts}}
    identity: {secretKeyRef: {name: login, key: id}}
  update: {script: {configMapKeyRef: {name: scripts, key: update.sh}}}
${more}
`;
  return parse(text) as unknown;
}

export function playbookObject(change: Partial<ApiObject> = {}): ApiObject {
  const { metadata, ...rest } = change;
  return {
    apiVersion: 'turnus.dev/v1alpha1',
    kind: 'Playbook',
    metadata: { namespace, name: 'monthly', uid: 'u1', generation: 1, ...metadata },
    spec: specWith(),
    ...rest,
  };
}

/** The files of the playbook, with the text of its script. */
export function filesWith(update: string | undefined = script): ReturnType<typeof filesInMemory> {
  const always = { 'configmap:hosts/known_hosts': '', 'secret:login/id': 'key\n' };
  return filesInMemory(update === '' ? always : { ...always, 'configmap:scripts/update.sh': update });
}

async function answerOf(spec: unknown, update?: string) {
  return await loadPlaybookObject({ object: playbookObject({ spec }), readFile: filesWith(update), now: testNow });
}

/** A playbook as it is read from the cluster. `update`: its script; '' where there is none. */
export async function readWith(read: {
  readonly spec?: unknown;
  readonly update?: string;
  readonly generation?: number;
  readonly former?: { readonly generation: number; readonly spec: unknown };
  readonly status?: PlaybookStatus;
  readonly annotations?: Record<string, string>;
}): Promise<ReadPlaybook> {
  const { spec = specWith(), update, generation = 1, former, status = {}, annotations = {} } = read;
  const metadata = { namespace, name: 'monthly', uid: 'u1', generation, annotations };
  return {
    key: 'u1',
    name: 'monthly',
    answer: await answerOf(spec, update),
    generation,
    former: former && { generation: former.generation, answer: await answerOf(former.spec, update) },
    object: { resource: playbookObject({ metadata, spec }), status },
  };
}

/** What this process had in force. */
export async function versionWith(spec: unknown, generation: number | undefined, update?: string): Promise<InForce> {
  const answer = await answerOf(spec, update);
  if (answer.kind !== 'ok') throw new Error(JSON.stringify(answer.mistakes));
  return { playbook: answer.playbook, generation, planHash: planHash({ clusterUid, playbook: answer.playbook }) };
}
