import { describe, expect, it } from 'vitest';
import { doctorProgressLine, doctorText } from '../../src/console/doctorText.js';
import type { Check } from '../../src/doctor/check.js';
import { reportOf } from '../../src/doctor/report.js';

const target = { server: 'https://10.0.0.1:6443', context: 'bank', user: 'anna' };
const cluster = { kind: 'cluster' } as const;
const host = (node: string, address?: string) =>
  ({ kind: 'host', node, ...(address === undefined ? {} : { address }) }) as const;

function text(checks: readonly Check[], columns = 100): string[] {
  const checkedAtMs = Date.UTC(2026, 10, 10);
  return doctorText(
    reportOf({ playbook: { name: 'monthly' }, target, clusterUid: undefined, checkedAtMs, checks }),
    columns,
  );
}

const well: readonly Check[] = [
  { subject: cluster, check: 'api-reachable', state: 'ok', message: 'It answers.' },
  { subject: host('node-1', '10.0.1.1'), check: 'address', state: 'ok', message: 'It has one.' },
  { subject: host('node-1', '10.0.1.1'), check: 'reachable', state: 'ok', message: 'It answers.' },
];

describe('the report of the doctor', () => {
  it('has one line a host where all is well', () => {
    expect(text(well)).toEqual([
      'Playbook monthly on https://10.0.0.1:6443 (context bank)',
      '',
      'CLUSTER',
      'ok       api-reachable  It answers.',
      '',
      'HOST     NODE    ADDRESS   CHECKS',
      'ok       node-1  10.0.1.1  2 ok',
      '',
      '0 failed, 0 warnings, 3 ok. Nothing of what was looked at stands in the way of a run; `turnus plan` says what the nodes hold.',
    ]);
  });

  it('has what failed below its host, without what is unknown because of it, and a line to copy unbroken', () => {
    const knownHostsLine = `[10.0.1.2]:2222 ssh-ed25519 ${'A'.repeat(90)}`;
    const lines = text([
      ...well,
      { subject: host('node-2', '10.0.1.2'), check: 'reachable', state: 'ok', message: 'It answers.' },
      {
        subject: host('node-2', '10.0.1.2'),
        check: 'host-key',
        state: 'failed',
        message: 'It shows an unknown key.',
        hint: 'Compare SHA256:x.',
        fingerprint: 'SHA256:x',
        knownHostsLine,
      },
      { subject: host('node-2', '10.0.1.2'), check: 'login', state: 'skipped', message: 'Not known.' },
    ]);
    expect(lines.slice(5)).toEqual([
      'HOST     NODE    ADDRESS   CHECKS',
      'ok       node-1  10.0.1.1  2 ok',
      'FAILED   node-2  10.0.1.2  1 ok, 1 failed, 1 unknown',
      '         FAILED   host-key  It shows an unknown key.',
      '                            To do: Compare SHA256:x.',
      '                            Only once the fingerprint is compared, this line for known_hosts:',
      knownHostsLine,
      '',
      '1 failed, 0 warnings, 4 ok, 1 unknown. Mend what failed before the night, and ask again.',
    ]);
  });

  it('says once what to do about several that are mended in the same way', () => {
    const missing = (what: string): Check => ({
      subject: cluster,
      check: 'permission',
      state: 'failed',
      message: `anna may not ${what}.`,
      hint: 'Bind the roles.',
    });
    expect(text([missing('evict'), missing('patch nodes')]).slice(3, 6)).toEqual([
      'FAILED   permission  anna may not evict.',
      'FAILED   permission  anna may not patch nodes.',
      '                     To do: Bind the roles.',
    ]);
  });

  it('says what is not known where nothing else is to be said of a host', () => {
    const lines = text([
      { subject: host('node-1'), check: 'programs', state: 'skipped', message: 'The host did not say.' },
    ]);
    expect(lines).toContain('unknown  node-1  -        1 unknown');
    expect(lines).toContain('         unknown  programs  The host did not say.');
  });

  it('keeps to the width of the terminal, and what others said to one line without controls', () => {
    const lines = text(
      [
        {
          subject: cluster,
          check: 'permission',
          state: 'failed',
          message: `nobody \u001b[31mmay\n${'evict '.repeat(30)}`,
          hint: 'word '.repeat(40),
        },
      ],
      60,
    );
    expect(lines.join('\n')).not.toContain('\u001b');
    const wrapped = lines.slice(3, -2);
    expect(wrapped.length).toBeGreaterThan(6);
    for (const line of wrapped) expect(line.length).toBeLessThanOrEqual(60);
    for (const line of wrapped.slice(1)) expect(line).toMatch(/^ {21}\S/);
  });

  it('ends with warnings in words of their own', () => {
    const lines = text([{ subject: cluster, check: 'lease', state: 'warning', message: 'm', hint: 'h' }]);
    expect(lines.at(-1)).toBe('0 failed, 1 warning, 0 ok. Nothing failed; read the warnings before the night.');
  });
});

describe('the line that is drawn meanwhile', () => {
  it('says how far it is and who has not answered, cut to the terminal', () => {
    expect(doctorProgressLine(undefined, 80)).toBe('Asking the cluster');
    const waiting = Array.from({ length: 16 }, (_, index) => `worker-${String(index)}`);
    const line = doctorProgressLine({ total: 40, answered: 3, waiting }, 60);
    expect(line).toMatch(/^Hosts: 3 of 40 have answered, waiting for worker-0, worker-…$/);
    expect(line).toHaveLength(60);
  });
});
