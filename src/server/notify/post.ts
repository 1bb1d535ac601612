/** Sends one message. Answers with the status; rejects where none came, and with the signal's reason when it aborts. */
export type Post = (message: {
  readonly url: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string;
  readonly signal: AbortSignal;
}) => Promise<PostAnswer>;

export interface PostAnswer {
  readonly status: number;
  /** Of the header Retry-After, where it gives seconds. */
  readonly retryAfterSeconds: number | undefined;
}

/** POST over the machine's own client. Redirects are answers like others, and of an answer only the head is read. */
export const post: Post = async ({ url, headers, body, signal }) => {
  const response = await fetch(url, { method: 'POST', headers, body, signal, redirect: 'manual' });
  await response.body?.cancel();
  const retryAfter = response.headers.get('retry-after') ?? '';
  return {
    status: response.status,
    retryAfterSeconds: /^\d{1,6}$/.test(retryAfter) ? Number(retryAfter) : undefined,
  };
};
