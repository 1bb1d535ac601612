import { chmod } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { clusterFiles } from '../../src/cli/playbookFiles.js';
import type { ApiFailure, ClusterPort } from '../../src/cluster/clusterPort.js';
import { resources } from '../../src/cluster/resources.js';
import { simulatedPort } from '../../src/sandbox/api/simulatedPort.js';
import { apiWith, create } from '../sandbox/api/apiFixture.js';
import { directoryWith } from './runTurnus.js';

const namespace = 'turnus-system';
const { signal } = new AbortController();
const { api } = apiWith();
create(api, resources.namespaces, { metadata: { name: namespace } });
create(api, resources.secrets, {
  metadata: { name: 'login', namespace },
  data: { id: Buffer.from('hush\n').toString('base64') },
});
const port = simulatedPort({ api, caller: 'turnus' });
const files = clusterFiles({ cluster: port, namespace }, signal);

/** The same API server in a moment in which it answers this. */
function answering(failure: ApiFailure): ClusterPort {
  return { ...port, get: () => Promise.resolve(failure) };
}

describe('the files of a playbook in the cluster', () => {
  it('are read where they are: in the cluster or on this machine', async () => {
    const directory = await directoryWith({ key: 'local\n' });
    await chmod(join(directory, 'key'), 0o640);
    expect(await files.readText('secret:login/id')).toBe('hush\n');
    expect(await files.readText(join(directory, 'key'))).toBe('local\n');
    expect(await files.readFile('secret:login/id')).toEqual({ kind: 'ok', bytes: Buffer.from('hush\n') });
    expect(await files.readFile(join(directory, 'none'))).toMatchObject({ kind: 'missing' });
    expect(await files.accessTo(join(directory, 'key'))).toEqual({ mode: 0o640, isOwn: true });
    expect(await files.accessTo(join(directory, 'none'))).toBeUndefined();
  });

  it('are for their owner alone in a Secret, and to be looked at in a ConfigMap', async () => {
    expect(await files.accessTo('secret:login/id')).toEqual({ mode: 0o600, isOwn: true });
    expect(await files.accessTo('configmap:hosts/config')).toEqual({ mode: 0o644, isOwn: true });
  });

  it('that are missing are so for whoever reads text too', async () => {
    for (const path of ['secret:login/none', 'configmap:none/a'])
      await expect(files.readText(path)).rejects.toMatchObject({ code: 'ENOENT' });
  });

  it('that may not be read say who may, and are no missing ones', async () => {
    const cluster = answering({ kind: 'forbidden', message: 'secrets "login" is forbidden' });
    const closed = clusterFiles({ cluster, namespace }, signal);
    expect(await closed.readFile('secret:login/id')).toEqual({
      kind: 'unreadable',
      code: 'forbidden',
      message: 'secrets "login" is forbidden; `turnus install --with serve` makes the role that may',
    });
    await expect(closed.readText('secret:login/id')).rejects.toMatchObject({ code: 'forbidden' });
  });

  it('are no mistake of the playbook while the API server is away', async () => {
    for (const failure of [
      { kind: 'unreachable', message: 'no answer' },
      { kind: 'refused', status: 503, message: 'starting' },
    ] as const) {
      const away = clusterFiles({ cluster: answering(failure), namespace }, signal);
      await expect(away.readFile('secret:login/id')).rejects.toMatchObject({ code: 'cluster-file-unavailable' });
    }
  });
});
