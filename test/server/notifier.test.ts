import { createHmac } from 'node:crypto';
import fc from 'fast-check';
import { afterEach, describe, expect, it } from 'vitest';
import type { NotificationHappening } from '../../src/server/metrics.js';
import type { CloudEventData, EventName } from '../../src/server/notify/cloudEvent.js';
import type { Webhook } from '../../src/server/notify/delivery.js';
import { notificationResults } from '../../src/server/notify/notificationResult.js';
import { openNotifier, webhookName, type Notifier, type NotifierOptions } from '../../src/server/notify/notifier.js';
import { post, type Post } from '../../src/server/notify/post.js';
import { systemClock } from '../../src/systemClock.js';
import type { Clock } from '../../src/time/clock.js';
import { logToRead } from './logLines.js';
import { openReceiver, type Receiver } from './receiver.js';

const endings: (() => Promise<void>)[] = [];

afterEach(async () => {
  for (let end = endings.pop(); end !== undefined; end = endings.pop()) await end();
});

const key = Buffer.from('the key of the team, 32 bytes...');

function event(place: number, type: EventName = 'turn.started'): CloudEventData {
  const subject = `monthly-2026-11/node-${String(place)}`;
  return {
    type,
    id: `id-${String(place)}`,
    time: '2026-11-10T22:00:00.000Z',
    subject,
    data: { node: `node-${String(place)}` },
  };
}

interface Open {
  readonly notifier: Notifier;
  readonly happened: NotificationHappening[];
  readonly text: () => string;
  readonly lines: () => Record<string, unknown>[];
  readonly results: () => string[];
}

/** A notifier whose pauses are short. */
function open(webhooks: readonly Partial<Webhook>[], options: Partial<NotifierOptions> = {}): Open {
  const happened: NotificationHappening[] = [];
  const { log, text, lines } = logToRead();
  const notifier = openNotifier({
    webhooks: webhooks.map((webhook, place) => {
      const url = webhook.url ?? 'http://127.0.0.1:9/';
      return { name: webhookName(url, place + 1), events: undefined, key: () => Promise.resolve(key), ...webhook, url };
    }),
    clusterUid: '6f1c0a52',
    clock: systemClock,
    random: () => 0.01,
    post,
    log,
    userAgent: 'turnus/test',
    happened: (what) => happened.push(what),
    ...options,
  });
  endings.push(async () => {
    await notifier.close(0);
  });
  const results = () => happened.flatMap((what) => (what.kind === 'left' ? [what.result] : []));
  return { notifier, happened, text, lines, results };
}

async function receiver(...options: Parameters<typeof openReceiver>): Promise<Receiver> {
  const opened = await openReceiver(...options);
  endings.push(opened.stop);
  return opened;
}

const idsOf = ({ received }: Receiver) => received.map((message) => message.event['id']);

describe('a notification', () => {
  it('is a signed CloudEvent', async () => {
    const hook = await receiver();
    const { notifier, results } = open([hook]);
    const before = Math.floor(systemClock.now() / 1000);
    notifier.notify({ ...event(1), data: { node: 'node-1', message: 'Grüße' } });
    await notifier.close(5000);
    const [message] = hook.received;
    expect(message?.event).toEqual({
      specversion: '1.0',
      id: 'id-1',
      source: 'turnus/6f1c0a52',
      type: 'dev.turnus.turn.started',
      subject: 'monthly-2026-11/node-1',
      time: '2026-11-10T22:00:00.000Z',
      datacontenttype: 'application/json',
      data: { node: 'node-1', message: 'Grüße' },
    });
    expect(message?.headers).toMatchObject({
      'content-type': 'application/cloudevents+json',
      'user-agent': 'turnus/test',
    });
    const [, time = '', digest] =
      /^t=(\d+),v1=([0-9a-f]{64})$/.exec(String(message?.headers['turnus-signature'])) ?? [];
    expect(
      createHmac('sha256', key)
        .update(`${time}.${message?.body ?? ''}`)
        .digest('hex'),
    ).toBe(digest);
    expect(Number(time)).toBeGreaterThanOrEqual(before);
    expect(results()).toEqual(['delivered']);
  });

  it('goes only to webhooks that want it, in the order of what happened', async () => {
    const [all, some] = [await receiver(), await receiver()];
    const { notifier } = open([all, { url: some.url, events: ['turn.failed', 'run.finished'] }]);
    const types: EventName[] = ['turn.started', 'turn.failed', 'turn.finished', 'run.finished'];
    for (const [place, type] of types.entries()) notifier.notify(event(place, type));
    await notifier.close(5000);
    expect(idsOf(all)).toEqual(['id-0', 'id-1', 'id-2', 'id-3']);
    expect(idsOf(some)).toEqual(['id-1', 'id-3']);
  });

  it('is as it was when it was given', async () => {
    const hook = await receiver();
    const { notifier } = open([hook]);
    const data: Record<string, unknown> = { phase: 'Done' };
    notifier.notify({ ...event(1), data });
    data['phase'] = 'Failed';
    await notifier.close(5000);
    expect(hook.received[0]?.event['data']).toEqual({ phase: 'Done' });
  });

  it('that cannot be written is said in the log, and nothing else happens', async () => {
    const hook = await receiver();
    const { notifier, lines } = open([hook]);
    notifier.notify({ ...event(1), data: { big: 1n } });
    notifier.notify(event(2));
    await notifier.close(5000);
    expect(idsOf(hook)).toEqual(['id-2']);
    expect(lines()).toMatchObject([{ event: 'notification.unwritable' }]);
  });
});

describe('a receiver', () => {
  it('that is down gets everything in order once it is back, with the same ids', async () => {
    const first = await receiver();
    const { notifier, results, lines } = open([first]);
    notifier.notify(event(1));
    await first.until(1);
    await first.stop();
    const failed = new Promise<void>((resolve) => {
      const look = () => {
        if (lines().some((line) => line['event'] === 'notification.failed')) resolve();
        else setImmediate(look);
      };
      look();
    });
    for (const place of [2, 3, 4]) notifier.notify(event(place));
    await failed;
    const back = await receiver(undefined, first.port);
    await back.until(3);
    await notifier.close(5000);
    expect(idsOf(back)).toEqual(['id-2', 'id-3', 'id-4']);
    expect(results()).toEqual(['delivered', 'delivered', 'delivered', 'delivered']);
    expect(lines().map((line) => line['event'])).toContain('notification.recovered');
  });

  it('that answers 500 is asked again with the same event, signed anew', async () => {
    const hook = await receiver((response, place) =>
      response.writeHead(place <= 2 ? 500 : 200).end('x'.repeat(100_000)),
    );
    let reads = 0;
    const { notifier, happened } = open([
      {
        url: hook.url,
        key: () => {
          reads += 1;
          return Promise.resolve(Buffer.from(`key ${String(reads)}`));
        },
      },
    ]);
    notifier.notify(event(1));
    notifier.notify(event(2));
    await hook.until(4);
    await notifier.close(5000);
    expect(idsOf(hook)).toEqual(['id-1', 'id-1', 'id-1', 'id-2']);
    expect(new Set(hook.received.slice(0, 3).map(({ body }) => body)).size).toBe(1);
    expect(new Set(hook.received.map(({ headers }) => headers['turnus-signature'])).size).toBe(4);
    expect(happened.filter(({ kind }) => kind === 'failed')).toHaveLength(2);
  });

  it('that says it will never take one is not asked again, and gets the next', async () => {
    const hook = await receiver((response, place) => response.writeHead(place === 1 ? 422 : 200).end());
    const { notifier, results, lines } = open([hook]);
    notifier.notify(event(1));
    notifier.notify(event(2));
    await notifier.close(5000);
    expect(idsOf(hook)).toEqual(['id-1', 'id-2']);
    expect(results()).toEqual(['refused', 'delivered']);
    expect(lines()).toMatchObject([
      { event: 'notification.dropped', webhook: `webhook 1 (127.0.0.1:${String(hook.port)})` },
    ]);
  });

  it('that redirects is not followed', async () => {
    const other = await receiver();
    const hook = await receiver((response) => response.writeHead(307, { Location: other.url }).end());
    const { notifier, lines } = open([hook]);
    notifier.notify(event(1));
    await hook.until(2);
    await notifier.close(5000);
    expect(other.received).toEqual([]);
    expect(lines()[0]?.['msg']).toContain('redirects are not followed');
  });

  it('that is slow is given up in time and asked again', async () => {
    const hook = await receiver((response, place) => {
      if (place > 1) response.writeHead(200).end();
    });
    const { notifier, results, lines } = open([hook], { limits: { attemptMs: 50 } });
    notifier.notify(event(1));
    await hook.until(2);
    await notifier.close(5000);
    expect(results()).toEqual(['delivered']);
    expect(lines()[0]?.['msg']).toContain('no answer within 50 ms');
  });

  it('whose answer never ends has taken it', async () => {
    const hook = await receiver((response) => {
      response.writeHead(200).write('and so on');
    });
    const { notifier, results } = open([hook]);
    notifier.notify(event(1));
    notifier.notify(event(2));
    await hook.until(2);
    await notifier.close(5000);
    expect(results()).toEqual(['delivered', 'delivered']);
  });

  it('that is down holds no other up', async () => {
    const hook = await receiver();
    const { notifier } = open([{ url: 'http://127.0.0.1:1/' }, hook], { random: () => 1 });
    for (const place of [1, 2, 3]) notifier.notify(event(place));
    await hook.until(3);
    expect(idsOf(hook)).toEqual(['id-1', 'id-2', 'id-3']);
  });

  it('whose key cannot be read gets nothing until it can', async () => {
    const hook = await receiver();
    const keys = [() => Promise.reject(new Error('no Secret')), () => Promise.resolve(Buffer.alloc(0))];
    const { notifier, lines } = open([{ url: hook.url, key: () => (keys.shift() ?? (() => Promise.resolve(key)))() }]);
    notifier.notify(event(1));
    await hook.until(1);
    await notifier.close(5000);
    expect(hook.received).toHaveLength(1);
    const said = lines().map((line) => String(line['msg']));
    expect(said[0]).toContain('its key cannot be read');
    expect(said[1]).toContain('its key is empty');
  });
});

describe('nothing of a secret', () => {
  it('is in the log: neither the path of the URL nor the key', async () => {
    const hook = await receiver((response) => response.writeHead(500).end(key.toString()));
    const { notifier, text } = open([hook, { url: 'http://user:pass@127.0.0.1:1/secret-path' }]);
    notifier.notify(event(1));
    await hook.until(2);
    await notifier.close(100);
    expect(text()).not.toMatch(/secret-path|user:pass|the key of/);
    expect(text()).toContain('notification.failed');
  });
});

describe('closing', () => {
  it('delivers at once what waits for a pause', async () => {
    const hook = await receiver((response, place) => response.writeHead(place === 1 ? 503 : 200).end());
    const { notifier, results } = open([hook], { random: () => 1, clock: slowPauses });
    notifier.notify(event(1));
    notifier.notify(event(2));
    await hook.until(1);
    await notifier.close(5000);
    expect(results()).toEqual(['delivered', 'delivered']);
  });

  it('ends in time although a receiver never answers, and counts what is given up', async () => {
    const hook = await receiver(() => undefined);
    const { notifier, results, lines } = open([hook]);
    for (const place of [1, 2, 3]) notifier.notify(event(place));
    await hook.until(1);
    await notifier.close(50);
    expect(results()).toEqual(['abandoned', 'abandoned', 'abandoned']);
    expect(lines().filter((line) => line['event'] === 'notification.dropped')).toHaveLength(3);
  });

  it('asks a receiver that is down once more, and no more', async () => {
    const { notifier, happened, results } = open([{ url: 'http://127.0.0.1:1/' }], {
      clock: slowPauses,
      random: () => 1,
    });
    for (const place of [1, 2, 3]) notifier.notify(event(place));
    await notifier.close(5000);
    expect(results()).toEqual(['abandoned', 'abandoned', 'abandoned']);
    expect(happened.filter(({ kind }) => kind === 'failed').length).toBeLessThanOrEqual(2);
    notifier.notify(event(4));
    expect(results()).toHaveLength(4);
  });
});

/** Pauses last until somebody ends them. */
const slowPauses: Clock = { ...systemClock, sleep: (_, signal) => systemClock.sleep(3_600_000, signal) };

/** A clock whose sleeps are over at once, and whose deadlines never come. */
function leapingClock(): Clock & { pass: (ms: number) => void } {
  let now = 0;
  return {
    now: () => now,
    monotonic: () => now,
    async sleep(ms, signal) {
      await Promise.resolve();
      signal.throwIfAborted();
      now += ms;
    },
    deadline: (_, parent) => ({ signal: parent, clear: () => undefined }),
    pass: (ms) => {
      now += ms;
    },
  };
}

describe('a queue', () => {
  it('keeps a bounded number and gives up the oldest that wait', async () => {
    let answer: () => void = () => undefined;
    const sent: string[] = [];
    const held: Post = async ({ body }) => {
      sent.push((JSON.parse(body) as { id: string }).id);
      await new Promise<void>((resolve) => {
        answer = resolve;
      });
      return { status: 200, retryAfterSeconds: undefined };
    };
    const { notifier, results, lines } = open([{}], { post: held, limits: { mostWaiting: 3 } });
    notifier.notify(event(0));
    for (let turn = 0; turn < 10 && sent.length === 0; turn += 1) await Promise.resolve();
    for (let place = 1; place <= 6; place += 1) notifier.notify(event(place));
    expect(results()).toEqual(['displaced', 'displaced', 'displaced']);
    expect(lines().map((line) => line['id'])).toEqual(['id-1', 'id-2', 'id-3']);
    const closed = notifier.close(5000);
    while (results().length < 7) {
      answer();
      await Promise.resolve();
    }
    await closed;
    expect(sent).toEqual(['id-0', 'id-4', 'id-5', 'id-6']);
  });

  it('gives a message up after its time, and tries the next at once', async () => {
    const clock = leapingClock();
    const failing: Post = () => Promise.resolve({ status: 503, retryAfterSeconds: undefined });
    const { notifier, happened, results, lines } = open([{}], { clock, post: failing, random: () => 0.5 });
    const left = new Promise<void>((resolve) => {
      const look = () => {
        if (results().length === 2) resolve();
        else setImmediate(look);
      };
      look();
    });
    notifier.notify(event(1));
    notifier.notify(event(2));
    await left;
    expect(results()).toEqual(['expired', 'expired']);
    expect(clock.monotonic()).toBeGreaterThanOrEqual(3_600_000);
    // An hour of pauses of half a minute each, not of a busy loop.
    const attempts = happened.filter(({ kind }) => kind === 'failed').length;
    expect(attempts).toBeGreaterThan(60);
    expect(attempts).toBeLessThan(200);
    expect(lines().filter((line) => line['level'] === 'warn')).toHaveLength(1);
  });

  it('waits as long as a receiver asks, but not for ever', async () => {
    const clock = leapingClock();
    const answers = [
      { status: 429, retryAfterSeconds: 120 },
      { status: 503, retryAfterSeconds: 86_400 },
    ];
    const asking: Post = () => Promise.resolve(answers.shift() ?? { status: 200, retryAfterSeconds: undefined });
    const { notifier, results } = open([{}], { clock, post: asking, random: () => 0 });
    notifier.notify(event(1));
    while (results().length === 0) await Promise.resolve();
    expect(clock.monotonic()).toBe(120_000 + 300_000);
    expect(results()).toEqual(['delivered']);
  });

  it('accounts for every message once, and delivers in order', async () => {
    const step = fc.oneof(
      { weight: 3, arbitrary: fc.constant('notify' as const) },
      { weight: 2, arbitrary: fc.integer({ min: 1, max: 20 }).map((turns) => ({ turns })) },
      { weight: 1, arbitrary: fc.integer({ min: 0, max: 2_000_000 }).map((ms) => ({ ms })) },
    );
    const status = fc.constantFrom(200, 204, 500, 503, 302, 400, 0);
    await fc.assert(
      fc.asyncProperty(fc.array(step, { maxLength: 60 }), fc.array(status), async (steps, statuses) => {
        const clock = leapingClock();
        const delivered: number[] = [];
        const playing: Post = async ({ body }) => {
          await Promise.resolve();
          const answer = statuses.shift() ?? 200;
          if (answer === 0) throw new TypeError('fetch failed');
          const { id } = JSON.parse(body) as { id: string };
          if (answer < 300) delivered.push(Number(id.slice(3)));
          return { status: answer, retryAfterSeconds: undefined };
        };
        const { notifier, happened, results } = open([{}], { clock, post: playing, limits: { mostWaiting: 4 } });
        let given = 0;
        for (const each of steps) {
          if (each === 'notify') notifier.notify(event((given += 1)));
          else if ('ms' in each) clock.pass(each.ms);
          else for (let turn = 0; turn < each.turns; turn += 1) await Promise.resolve();
        }
        await notifier.close(1000);
        const ended = results();
        expect(happened.filter(({ kind }) => kind === 'queued')).toHaveLength(given);
        expect(ended).toHaveLength(given);
        for (const result of ended) expect(notificationResults).toContain(result);
        expect(delivered).toEqual([...delivered].sort((one, other) => one - other));
        expect(new Set(delivered).size).toBe(delivered.length);
        expect(ended.filter((result) => result === 'delivered')).toHaveLength(delivered.length);
      }),
      { numRuns: 200 },
    );
  });
});
