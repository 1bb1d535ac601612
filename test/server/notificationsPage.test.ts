import { readFile } from 'node:fs/promises';
import { describe, expect, it } from 'vitest';
import { eventNames } from '../../src/server/notify/cloudEvent.js';
import { openNotifier } from '../../src/server/notify/notifier.js';
import { post } from '../../src/server/notify/post.js';
import { signatureOf } from '../../src/server/notify/signature.js';
import { systemClock } from '../../src/systemClock.js';
import { logToRead } from './logLines.js';
import { openReceiver } from './receiver.js';

const page = await readFile(new URL('../../docs/notifications.md', import.meta.url), 'utf8');
const [, recipe = ''] = /```js\n([\s\S]*?)```/.exec(page) ?? [];

type Verify = (message: {
  header: string | undefined;
  body: string | Buffer;
  key: Uint8Array;
  now?: number;
}) => boolean;
const { isFromTurnus } = (await import(`data:text/javascript,${encodeURIComponent(recipe)}`)) as {
  isFromTurnus: Verify;
};

const key = Buffer.from('a'.repeat(32));

describe('docs/notifications.md', () => {
  it('has each event once, and no other', () => {
    const rows = page.split('\n').filter((line) => /^\| `[a-z]+\.[a-z]+` \|/.test(line));
    expect(rows.map((line) => /`([^`]+)`/.exec(line)?.[1])).toEqual([...eventNames]);
  });

  it('has a recipe that takes what is sent', async () => {
    const receiver = await openReceiver();
    const notifier = openNotifier({
      webhooks: [{ name: 'w', url: receiver.url, events: undefined, key: () => Promise.resolve(key) }],
      ...{
        clusterUid: 'uid',
        clock: systemClock,
        random: () => 0,
        post,
        log: logToRead().log,
        userAgent: 'turnus/test',
      },
      happened: () => undefined,
    });
    notifier.notify({
      type: 'run.finished',
      id: '1',
      time: '2026-11-10T22:00:00Z',
      subject: 'r',
      data: { message: 'Grüße' },
    });
    await notifier.close(5000);
    const [message] = receiver.received;
    const header = String(message?.headers['turnus-signature']);
    expect(isFromTurnus({ header, body: Buffer.from(message?.body ?? ''), key })).toBe(true);
    await receiver.stop();
  });

  it('has a recipe that takes nothing else', () => {
    const now = systemClock.now();
    const body = '{"id":"1"}';
    const header = signatureOf({ body, key, now });
    expect(isFromTurnus({ header, body, key, now })).toBe(true);
    expect(isFromTurnus({ header, body: `${body} `, key, now })).toBe(false);
    expect(isFromTurnus({ header, body, key: Buffer.from('b'.repeat(32)), now })).toBe(false);
    expect(isFromTurnus({ header, body, key, now: now + 301_000 })).toBe(false);
    expect(isFromTurnus({ header: header.replace(/t=\d/, 't=9'), body, key, now })).toBe(false);
    expect(isFromTurnus({ header: undefined, body, key, now })).toBe(false);
    expect(isFromTurnus({ header: 'v1=00', body, key, now })).toBe(false);
  });
});
