import { Writable } from 'node:stream';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { JournalRecord } from '../../src/journal/entry.js';
import { openLog } from '../../src/server/log.js';
import type { LogDetails } from '../../src/server/log/safeDetails.js';
import { withoutSecrets } from '../../src/server/log/withoutSecrets.js';
import { logSink } from '../../src/server/logSink.js';
import { TurnusError } from '../../src/turnusError.js';
import { entry, runStarted } from './fixtures.js';
import { logToRead } from './logLines.js';

describe('a line of the log', () => {
  it('is one JSON object with stable members', () => {
    const { log, text, lines } = logToRead();
    log.about({ playbook: 'monthly' }).warn({
      event: 'lease.lost',
      msg: 'The lease was lost.\nAnother actor has it.',
      run: 'monthly-2026-11',
      node: 'node-1',
      details: { heldBy: 'turnus-1', forMs: 12, again: false, nodes: ['a', 'b'], absent: undefined },
    });
    expect(text()).toMatch(/^\{"level":"warn","time":"2026-11-10T22:00:00.000Z","event":"lease.lost",.*\}\n$/);
    expect(lines()).toEqual([
      {
        ...{ level: 'warn', time: '2026-11-10T22:00:00.000Z', event: 'lease.lost', run: 'monthly-2026-11' },
        ...{ node: 'node-1', playbook: 'monthly', heldBy: 'turnus-1', forMs: 12, again: false, nodes: ['a', 'b'] },
        msg: 'The lease was lost.\nAnother actor has it.',
      },
    ]);
  });

  it('is left out below the level', () => {
    const { log, lines } = logToRead('warn');
    for (const level of ['debug', 'info', 'warn', 'error'] as const) log[level]({ event: 'x', msg: level });
    expect(lines().map(({ level }) => level)).toEqual(['warn', 'error']);
  });

  it('is about what is nearest', () => {
    const { log, lines } = logToRead();
    const about = log.about({ playbook: 'monthly', run: 'r1' }).about({ run: 'r2' });
    about.info({ event: 'x', msg: 'x' });
    about.info({ event: 'x', msg: 'x', run: 'r3', node: 'n' });
    expect(lines()).toMatchObject([
      { playbook: 'monthly', run: 'r2' },
      { playbook: 'monthly', run: 'r3', node: 'n' },
    ]);
  });

  it('cannot be given other members by its details, nor its format by its message', () => {
    const { log, lines } = logToRead();
    log.info({
      event: 'x',
      msg: '100 %s %d {}',
      details: { level: 'error', time: 'y', msg: 'z', event: 'w', hash: 'h' },
    });
    expect(lines()).toMatchObject([{ level: 'info', event: 'x', msg: '100 %s %d {}', hash: 'h' }]);
  });

  it('is lost without a word where nobody reads', async () => {
    const stream = new Writable({
      write(_chunk, _encoding, done) {
        done(new Error('EPIPE'));
      },
    });
    const log = openLog({ stream, level: 'info', clock: { now: () => 0 } });
    log.info({ event: 'x', msg: 'x' });
    await new Promise((resolve) => stream.once('close', resolve));
    log.info({ event: 'x', msg: 'x' });
  });
});

/** No text that a log may hold contains it. */
const secret = 'hunter2hunter2SECRETvalue';
const jwt = `eyJhbGciOiJSUzI1NiJ9.eyJzdWIiOiJ4In0.${secret}`;

describe('secrets', () => {
  it('are not in the line of an error, whatever hangs on it', () => {
    const { log, text, lines } = logToRead();
    const cause = Object.assign(new Error(`401 Unauthorized\nHeaders: {"Authorization":"Bearer ${secret}"}`), {
      headers: { authorization: `Bearer ${secret}`, cookie: `session=${secret}` },
      request: { headers: { Authorization: [`Bearer ${secret}`] } },
      body: { kind: 'Secret', metadata: { name: 'hmac' }, data: { key: Buffer.from(secret).toString('base64') } },
      config: { token: secret, password: secret },
      code: 'ECONNRESET',
    });
    const error = new TurnusError({
      code: 'not-read',
      message: `token: ${secret}`,
      hint: `Use password=${secret}`,
      cause,
    });
    const several = new AggregateError([new Error(`https://user:${secret}@hooks.example/`), cause], 'both failed');
    log.error({ event: 'x', msg: `Authorization: Bearer ${secret}`, error });
    log.error({ event: 'x', msg: 'x', error: several });
    log.error({ event: 'x', msg: 'x', error: { authorization: secret } });
    log.error({ event: 'x', msg: 'x', error: `token=${secret}` });
    expect(text()).not.toContain(secret);
    expect(text()).not.toContain(Buffer.from(secret).toString('base64'));
    expect(lines()[0]?.['err']).toMatchObject({
      type: 'TurnusError',
      code: 'not-read',
      cause: { type: 'Error', code: 'ECONNRESET' },
    });
    expect(lines()[1]?.['err']).toMatchObject({ message: 'both failed', errors: [{ type: 'Error' }, {}] });
  });

  it('are not in details, under whatever name or in whatever shape', () => {
    const { log, text } = logToRead();
    const details: Record<string, unknown> = {
      ...{ Authorization: secret, token: secret, apiToken: secret, clientSecret: secret, password: secret },
      ...{ key: secret, data: secret, headers: { authorization: secret }, nested: { deep: { value: secret } } },
      list: [{ value: secret }, `Bearer ${secret}`],
      buffer: Buffer.from(secret),
      url: `https://me:${secret}@hooks.example/x`,
    };
    log.info({ event: 'x', msg: 'x', details: details as LogDetails });
    expect(text()).not.toContain(secret);
    expect(text()).toContain('hooks.example');
  });

  it.each([
    [`Authorization: Bearer ${secret}`],
    [`proxy-authorization=Basic ${secret}`],
    [`{"headers":{"set-cookie":"a=${secret}; Path=/"}}`],
    [`Turnus-Signature: t=1,v1=${secret}`],
    [`sent with bearer ${secret}`],
    [jwt],
    [`access_token=${secret}&x=1`],
    [`"client-secret": "${secret} with spaces"`],
    [`password: '${secret}'`],
    [`--passphrase=${secret}`],
    [`-----BEGIN OPENSSH PRIVATE KEY-----\n${secret}\n-----END OPENSSH PRIVATE KEY-----`],
    [`-----BEGIN PRIVATE KEY-----\n${secret}`],
    [`{"kind":"Secret","data":{"key":"${secret}"}}`],
    [`https://user:${secret}@example.com/a`],
    [`https://${secret}@example.com/a`],
    [`secret:${secret}/${secret}=`],
  ])('are cleared from %j', (text) => {
    expect(withoutSecrets(text)).not.toContain(secret);
    expect(withoutSecrets(text)).toContain('[redacted]');
  });

  it.each([
    ['The file secret:turnus-ssh/id_ed25519 cannot be read.'],
    ['Node node-1 is held: 3 tokens left'],
    ['PodDisruptionBudget shop/web allows no disruption: 2 of 2 needed'],
    ['The host key SHA256:AAAA/bbbb+c= is unknown'],
    ['secretKeyRef {name: a, key: b} names no Secret'],
    ['https://hooks.example/turnus answered 503'],
    ['kubectl -n turnus-system get secret turnus-ssh'],
  ])('%j is none', (text) => {
    expect(withoutSecrets(text)).toBe(text);
  });

  it('clearing is done soon, whatever the text', () => {
    fc.assert(
      fc.property(
        fc.array(
          fc.constantFrom('token', '=', '"', ':', ' ', 'eyJ', '.', '-----BEGIN ', 'secret-', '://', '@', '{', 'data'),
          {
            maxLength: 400,
          },
        ),
        (parts) => {
          withoutSecrets(parts.join(''));
        },
      ),
      { numRuns: 200, interruptAfterTimeLimit: 10_000, markInterruptAsFailure: true },
    );
  });
});

describe('the log of a journal', () => {
  const written = async (record: JournalRecord, level: 'debug' | 'info' = 'info') => {
    const { log, lines, text } = logToRead(level);
    const written = entry(record);
    await logSink(log).write(written);
    return { lines: lines(), text: text(), entry: written };
  };

  it('says the same as the entry, by its number', async () => {
    const { lines, entry: made } = await written({ ...runStarted, change: 'CHG-1' });
    expect(lines).toEqual([
      {
        ...{
          level: 'info',
          time: '2026-11-10T22:00:00.000Z',
          event: 'run.started',
          run: made.run,
          playbook: 'monthly',
        },
        ...{ entry: made.seq, actor: 'turnus-0', requester: 'anna@bank.example', rehearsal: false, change: 'CHG-1' },
        msg: `Run ${made.run} begins.`,
      },
    ]);
    expect(lines[0]).not.toHaveProperty('hash');
  });

  it.each([
    [{ type: 'turn.finished', node: 'n', phase: 'Done' }, 'info'],
    [{ type: 'turn.finished', node: 'n', phase: 'Deferred', message: 'later' }, 'warn'],
    [{ type: 'turn.finished', node: 'n', phase: 'Failed', message: 'broken' }, 'error'],
    [{ type: 'run.finished', phase: 'Completed', stop: 'finished' }, 'info'],
    [{ type: 'run.finished', phase: 'Failed', stop: 'failures' }, 'error'],
    [{ type: 'gate.checked', node: 'n', findings: [{ code: 'budget-never', severity: 'block' }] }, 'warn'],
    [{ type: 'gate.checked', node: 'n', findings: [{ code: 'no-capacity', severity: 'caution' }] }, 'info'],
    [{ type: 'job.finished', node: 'n', stage: 'update', state: 'exited', exitCode: 1 }, 'error'],
    [{ type: 'job.finished', node: 'n', stage: 'update', state: 'exited', exitCode: 0 }, 'info'],
    [{ type: 'drain.finished', node: 'n', result: 'timeout' }, 'warn'],
  ] as const)('says %o at level %s', async (record, level) => {
    const { lines } = await written(record);
    expect(lines).toMatchObject([{ level, event: record.type }]);
  });

  it('has what happens to single pods at debug only', async () => {
    const record = { type: 'pod.evicting', node: 'n', pod: 'shop/web-0', uid: 'u' } as const;
    expect((await written(record)).lines).toEqual([]);
    expect((await written(record, 'debug')).lines).toMatchObject([{ event: 'pod.evicting', pod: 'shop/web-0' }]);
  });

  it('does not repeat what a script has said', async () => {
    const { text } = await written({
      ...{ type: 'job.finished', node: 'n', stage: 'update', state: 'exited', exitCode: 1 },
      outputTail: `db password is ${secret}`,
    });
    expect(text).not.toContain(secret);
  });

  it('never stops a journal, whatever the evidence', async () => {
    const { log } = logToRead();
    const sink = logSink(log);
    const types = [
      'run.started',
      'turn.finished',
      'gate.checked',
      'drain.finished',
      'job.finished',
      'window.closed',
    ] as const;
    await fc.assert(
      fc.asyncProperty(
        fc.constantFrom(...types),
        fc.dictionary(
          fc.constantFrom('phase', 'message', 'findings', 'left', 'state', 'stop', 'reason', 'playbook'),
          fc.jsonValue(),
        ),
        async (type, evidence) => {
          await sink.write(entry({ type, ...evidence }));
        },
      ),
    );
  });
});
