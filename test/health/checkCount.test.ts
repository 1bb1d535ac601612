import { describe, expect, it } from 'vitest';
import { checksInWords, countCheck, noCheck, whyNotWell, type CheckCount } from '../../src/health/checkCount.js';

const asked = { node: 'node-1', consecutive: 3 };
const notReady = 'node node-1 is not Ready (KubeletNotReady)';

/** Each check as `heartbeat` or `heartbeat: problem`; no heartbeat where none was read. */
function counted(...checks: string[]): CheckCount {
  return checks.reduce((count, check) => {
    const [heartbeat = '', problem] = check.split(': ');
    return countCheck(count, {
      problems: problem === undefined ? [] : [problem],
      heartbeat: heartbeat === '' ? undefined : heartbeat,
    });
  }, noCheck);
}

describe('checks of a node', () => {
  it('pass when nothing is wrong and the kubelet has sent a heartbeat since the check before', () => {
    expect(counted('1').passes).toBe(0);
    expect(counted('1', '2').passes).toBe(1);
    expect(counted('1', '2', '2', '2').passes).toBe(1);
    expect(counted('1', '2', '3', '4').passes).toBe(3);
  });

  it('are counted anew after a problem, and the heartbeat seen with it does not count', () => {
    expect(counted('1', '2', '3', `3: ${notReady}`).passes).toBe(0);
    expect(counted('1', '2', `3: ${notReady}`, '3').passes).toBe(0);
    expect(counted('1', '2', `3: ${notReady}`, '4').passes).toBe(1);
  });

  it('do not take a heartbeat for a new one after it could not be read for a while', () => {
    expect(counted('1', ': the heartbeat cannot be read', '1').passes).toBe(0);
    expect(counted('1', ': the heartbeat cannot be read', '2').passes).toBe(1);
  });
});

describe('what a check waits for', () => {
  it('is what it found', () => {
    expect(checksInWords(counted('1', '2', `3: ${notReady}`), asked)).toBe(notReady);
  });

  it('is how far the count has come where it found nothing, also after a problem', () => {
    expect(checksInWords(counted('1', '2'), asked)).toBe('1 of 3 checks in a row passed');
    expect(checksInWords(counted('1', `2: ${notReady}`, '3'), asked)).toBe('1 of 3 checks in a row passed');
  });

  it('is a heartbeat where none has come', () => {
    const silent = '0 of 3 checks in a row passed; the kubelet of node-1 has not sent a new heartbeat';
    expect(checksInWords(counted('1', '1'), asked)).toBe(silent);
  });
});

describe('why a node was not well in time', () => {
  it('is what was wrong at every check', () => {
    expect(whyNotWell(counted(`1: ${notReady}`, `2: ${notReady}`), asked)).toEqual([notReady]);
  });

  it('is what was wrong until the kubelet fell silent', () => {
    expect(whyNotWell(counted(`1: ${notReady}`, '1'), asked)).toEqual([
      `${notReady}, though not at the last check`,
      '0 of 3 checks in a row passed; the kubelet of node-1 has not sent a new heartbeat',
    ]);
  });

  it('is how far the checks came where nothing was wrong', () => {
    const silent = '1 of 3 checks in a row passed; the kubelet of node-1 has not sent a new heartbeat';
    expect(whyNotWell(counted('1', '2', '2'), asked)).toEqual([silent]);
  });

  it('is what comes and goes, whether it was well at the last check or not', () => {
    const most = 'it comes and goes: at most 2 of 3 checks in a row passed';
    expect(whyNotWell(counted('1', '2', '3', `4: ${notReady}`), asked)).toEqual([notReady, most]);
    expect(whyNotWell(counted('1', '2', '3', `4: ${notReady}`, '5'), asked)).toEqual([
      `${notReady}, though not at the last check`,
      most,
    ]);
  });

  it('is the host where the cluster sees it well', () => {
    expect(whyNotWell(counted('1', '2', '3', '4'), asked)).toEqual([
      'the cluster sees it well, but its host did not answer in time',
    ]);
  });

  it('is what the host said, also while the next passes are counted', () => {
    const unit = 'systemd unit web.service has failed since the turn began';
    expect(whyNotWell(counted('1', '2', '3', '4', `4: ${unit}`), asked)).toEqual([unit]);
    expect(whyNotWell(counted('1', '2', '3', '4', `4: ${unit}`, '5'), asked)).toEqual([unit]);
  });
});
