const unitMs = { d: 86_400_000, h: 3_600_000, m: 60_000, s: 1000, ms: 1 } as const;

/** Milliseconds of a duration such as `90s`, `15m`, `1h30m`, `40d` or `500ms`; undefined where it is not one. */
export function parseDuration(text: string): number | undefined {
  const match = /^(?:(?<d>\d+)d)?(?:(?<h>\d+)h)?(?:(?<m>\d+)m)?(?:(?<s>\d+)s)?(?:(?<ms>\d+)ms)?$/.exec(text);
  if (match?.groups === undefined || text === '') return undefined;
  let totalMs = 0;
  for (const unit of ['d', 'h', 'm', 's', 'ms'] as const) totalMs += Number(match.groups[unit] ?? 0) * unitMs[unit];
  return Number.isSafeInteger(totalMs) ? totalMs : undefined;
}

/** A duration as people read it: `4 s`, `1 min 20 s`, `2 h 5 min`, `3 d 4 h`; the two largest units. */
export function formatDuration(durationMs: number): string {
  const seconds = Math.round(durationMs / 1000);
  if (seconds < 10 && durationMs % 1000 !== 0) return `${(durationMs / 1000).toFixed(1)} s`;
  if (seconds < 60) return `${String(seconds)} s`;
  const minutes = Math.floor(seconds / 60);
  if (minutes < 60) return joined([minutes, 'min'], [seconds % 60, 's']);
  const hours = Math.floor(minutes / 60);
  if (hours < 24) return joined([hours, 'h'], [minutes % 60, 'min']);
  return joined([Math.floor(hours / 24), 'd'], [hours % 24, 'h']);
}

function joined(large: [number, string], small: [number, string]): string {
  return [large, small]
    .filter(([count], place) => place === 0 || count > 0)
    .map(([count, unit]) => `${String(count)} ${unit}`)
    .join(' ');
}
