import { z } from 'zod';
import { duration, file, listOf, mapping, oneOf, text } from './fieldKinds.js';
import { writtenPath } from './fileFields.js';

/** Of what a webhook can be told. */
export const notificationTypes = [
  'plan.ready',
  'window.opened',
  'turn.started',
  'turn.finished',
  'turn.failed',
  'window.closed',
  'run.finished',
] as const;
export type NotificationType = (typeof notificationTypes)[number];

/** `spec.journal`. */
export const journalSchema = mapping('Where the journal of runs goes. `turnus serve` demands it.', {
  file: text(
    'A file that entries are appended to. `turnus run` takes it where --journal is not given.',
    writtenPath,
    'the path of a file: absolute, relative to the playbook, or below the home directory as ~/',
  )
    .meta({ title: 'path of a file' })
    .optional(),
  stdout: z
    .literal(true, { error: 'expected true; leave the field out where the journal goes elsewhere' })
    .optional()
    .describe('Each entry is a line on the standard output of `turnus serve`. `turnus run` has -o ndjson for it.'),
}).refine(({ file: path, stdout }) => (path === undefined) !== (stdout === undefined), {
  error: 'expected exactly one of file, stdout',
});

const webhook = mapping('A receiver of notifications.', {
  url: url('Where notifications are posted to: https, or http to a loopback address.'),
  secret: file('A file with the key that notifications are signed with (HMAC).'),
  events: listOf(
    'The types of events that are sent. Without it all are.',
    oneOf('A type of event.', notificationTypes),
    'types of events',
  )
    .min(1, { error: 'expected at least one type of event; leave the field out for all' })
    .optional(),
});

/** `spec.notify`. */
export const notifySchema = mapping('Who is told what happens, by `turnus serve`.', {
  webhooks: listOf('Receivers of notifications.', webhook, 'webhooks ({url, secret})')
    .min(1, { error: 'expected at least one webhook' })
    .max(10, { error: 'expected at most 10 webhooks' }),
  before: duration(
    'How long before a window opens its plan is made and sent with its findings. Without it not at all.',
    {
      longestDays: 14,
    },
  ).optional(),
});

function url(description: string) {
  const error = 'expected a URL such as https://hooks.example/turnus';
  return z
    .string({ error })
    .max(2000, { error: 'expected a URL of at most 2000 characters', abort: true })
    .superRefine((value, context) => {
      const message = wrongUrl(value, error);
      if (message !== undefined) context.addIssue({ code: 'custom', message });
    })
    .meta({ title: 'URL', description });
}

function wrongUrl(written: string, expected: string): string | undefined {
  if (!/^https?:\/\/\S+$/.test(written) || !URL.canParse(written)) return expected;
  const { protocol, hostname, username, password } = new URL(written);
  if (username !== '' || password !== '')
    return 'expected a URL without user and password; the secret proves who sends';
  if (protocol === 'https:' || isLoopback(hostname)) return undefined;
  return 'expected https; http is for loopback addresses such as http://127.0.0.1:8080/';
}

/** As a URL holds it: IPv4 in four parts, IPv6 in brackets (WHATWG URL, host serializing). */
function isLoopback(hostname: string): boolean {
  return hostname === 'localhost' || hostname === '[::1]' || /^127(\.\d+){3}$/.test(hostname);
}
