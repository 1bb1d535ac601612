import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { readFile } from '../../src/cli/readFile.js';
import { canonicalJson } from '../../src/journal/canonicalJson.js';
import { loadPlaybook } from '../../src/playbook/loadPlaybook.js';
import { readStoredPlaybook } from '../../src/playbook/storedPlaybook.js';
import { directoryWith, goodFiles } from '../cli/runTurnus.js';

describe('the playbook that a run keeps', () => {
  it('says what the one says that it was taken of, but the content of its files', async () => {
    const directory = await directoryWith(goodFiles);
    const file = join(directory, 'monthly.yaml');
    const answer = await loadPlaybook({ file, readFile, homeDirectory: directory, now: 0 });
    if (answer.kind !== 'ok') throw new Error('the playbook is good');
    const { files: _files, host, schedule, ...playbook } = answer.playbook;
    const stored = readStoredPlaybook(canonicalJson(answer.playbook.normalised));
    expect(stored).toMatchObject(playbook);
    expect(stored?.schedule).toEqual({ timeZone: schedule.timeZone, coverageMs: schedule.coverageMs });
    expect(stored?.host.reboot).toEqual(host.reboot);
    expect(stored?.host.scripts).toEqual({ update: { path: '/update.sh', timeoutMs: 1_800_000 } });
    expect(stored).not.toHaveProperty('files');
  });

  it.each(['', 'null', '{"spec":{}}', '{"apiVersion":"turnus.dev/v2","kind":"Playbook"}'])(
    'is none where it is %j',
    (snapshot) => {
      expect(readStoredPlaybook(snapshot)).toBeUndefined();
    },
  );
});
