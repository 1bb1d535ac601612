import { StringDecoder } from 'node:string_decoder';
import { isApiObject } from '../cluster/apiObject.js';
import type { ApiFailure, WatchEvent } from '../cluster/clusterPort.js';
import { parseJson, recordOf, stringOf } from '../cluster/json.js';
import { apiFailureOf, statusDetailsOf } from './apiFailure.js';

/** No object is larger than what etcd takes (1.5 MiB), by far. */
const maxLineLength = 64 * 1024 * 1024;

/** The events in a watch's body: one JSON object a line. Ends after the first `failed`. */
export async function* watchEventsOf(body: AsyncIterable<Buffer>): AsyncGenerator<WatchEvent, void, undefined> {
  const decoder = new StringDecoder('utf8');
  let rest = '';
  for await (const chunk of body) {
    const lines = (rest + decoder.write(chunk)).split('\n');
    rest = lines.pop() ?? '';
    for (const line of lines) {
      const event = line.trim() === '' ? undefined : watchEventOf(line);
      if (event === undefined) continue;
      yield event;
      if (event.type === 'failed') return;
    }
    if (rest.length > maxLineLength) {
      yield { type: 'failed', failure: { kind: 'unreachable', message: 'the watch sent a line without an end' } };
      return;
    }
  }
}

/** One line of a watch; undefined for a type that is not known. */
function watchEventOf(line: string): WatchEvent | undefined {
  const event = recordOf(parseJson(line));
  const { type, object } = event;
  switch (type) {
    case 'ADDED':
      return isApiObject(object) ? { type: 'added', object } : broken(line);
    case 'MODIFIED':
      return isApiObject(object) ? { type: 'modified', object } : broken(line);
    case 'DELETED':
      return isApiObject(object) ? { type: 'deleted', object } : broken(line);
    case 'BOOKMARK': {
      const resourceVersion = isApiObject(object) ? stringOf(object.metadata.resourceVersion) : undefined;
      return resourceVersion === undefined ? broken(line) : { type: 'bookmark', resourceVersion };
    }
    case 'ERROR':
      return { type: 'failed', failure: failureOf(object) };
    default:
      return type === undefined ? broken(line) : undefined;
  }
}

/** An error inside a watch is a Status object. */
function failureOf(status: unknown): ApiFailure {
  const { code, reason } = statusDetailsOf(status);
  const expired = reason === 'Expired' || reason === 'Gone';
  return apiFailureOf({
    status: code ?? (expired ? 410 : 500),
    retryAfterSeconds: undefined,
    body: JSON.stringify(status),
  });
}

function broken(line: string): WatchEvent {
  return {
    type: 'failed',
    failure: { kind: 'unreachable', message: `the watch sent what is no event: ${line.slice(0, 100)}` },
  };
}
