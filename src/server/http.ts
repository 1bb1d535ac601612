import { Hono } from 'hono';
import type { Metrics } from './metrics.js';

/** Whether this process can do its work, and each thing that was asked for the answer. */
export interface Readiness {
  readonly ready: boolean;
  /** The failed ones say what to do; those that are well say so too. */
  readonly reasons: readonly ReadinessReason[];
}

export interface ReadinessReason {
  /** Stable name, for programs. */
  readonly check: string;
  readonly ok: boolean;
  /** One sentence for people. Nothing secret: whoever reaches the port reads it. */
  readonly message: string;
}

export interface AppOptions {
  /** Whether the loop still turns: false has the process restarted. */
  readonly live: () => boolean;
  readonly ready: () => Readiness;
  readonly metrics: Pick<Metrics, 'text' | 'contentType'>;
}

/** Readings change with each request, and belong in no cache, frame or other media type. */
const headers = {
  'Cache-Control': 'no-store',
  'X-Content-Type-Options': 'nosniff',
  'Content-Security-Policy': "default-src 'none'; frame-ancestors 'none'",
} as const;

/**
 * What `turnus serve` answers over HTTP: `/livez`, `/readyz` and `/metrics`, to GET and HEAD. It takes no input: no body
 * and no query is read.
 */
export function createApp({ live, ready, metrics }: AppOptions): Hono {
  const app = new Hono();
  app.use(async (context, next) => {
    if (context.req.method !== 'GET' && context.req.method !== 'HEAD') {
      return context.text('Only GET and HEAD are answered here.\n', 405, { ...headers, Allow: 'GET, HEAD' });
    }
    await next();
    for (const [name, value] of Object.entries(headers)) context.res.headers.set(name, value);
    return undefined;
  });
  app.get('/livez', (context) => {
    const isLive = live();
    return context.text(isLive ? 'ok\n' : 'the loop stands still\n', isLive ? 200 : 503);
  });
  app.get('/readyz', (context) => {
    const { ready: isReady, reasons } = ready();
    return context.json({ ready: isReady, reasons }, isReady ? 200 : 503);
  });
  app.get('/metrics', async (context) =>
    context.body(await metrics.text(), 200, { 'Content-Type': metrics.contentType }),
  );
  app.notFound((context) => context.text('There are /livez, /readyz and /metrics.\n', 404));
  // What went wrong is for the log of whoever made it go wrong, not for whoever asks.
  app.onError((_, context) => context.text('internal error\n', 500));
  return app;
}
