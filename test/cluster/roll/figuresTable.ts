import type { RollFigures } from './rollFigures.js';

const rows: readonly {
  readonly title: string;
  readonly value: (figures: RollFigures) => number | string;
  readonly ratio?: true;
}[] = [
  { title: 'seconds for the roll', value: ({ rollSeconds }) => rollSeconds, ratio: true },
  { title: 'node-seconds out of service', value: ({ nodeSecondsOut }) => nodeSecondsOut, ratio: true },
  { title: 'seconds without a Ready replica, 2 or more', value: ({ outageSeconds }) => outageSeconds },
  { title: 'workloads of 2 or more concerned', value: ({ workloadsWithOutage }) => workloadsWithOutage },
  {
    title: 'seconds without a Ready replica, singletons',
    value: ({ singletonOutageSeconds }) => singletonOutageSeconds,
  },
  { title: 'moves a pod', value: ({ movesAPod }) => movesAPod, ratio: true },
  { title: 'evictions', value: ({ evictions }) => evictions },
  { title: 'evictions answered with 429', value: ({ refusedEvictions }) => refusedEvictions },
  { title: 'API requests', value: ({ requests }) => requests, ratio: true },
  { title: 'API requests an eviction', value: ({ requestsAnEviction }) => requestsAnEviction, ratio: true },
  { title: 'CPU seconds', value: ({ cpuSeconds }) => cpuSeconds, ratio: true },
  { title: 'peak memory of one process, MiB', value: ({ peakMemoryMiB }) => peakMemoryMiB },
  { title: 'workloads on one node, before > after', value: ({ spread }) => arrow(spread.onOneNode) },
  { title: '  of these not before', value: ({ spread }) => spread.heapedOnNode.length },
  { title: 'workloads in one zone, before > after', value: ({ spread }) => arrow(spread.onOneZone) },
  { title: '  of these not before', value: ({ spread }) => spread.heapedOnZone.length },
  { title: 'most pods on a node, before > after', value: ({ spread }) => arrow(spread.mostPodsOnANode) },
  { title: 'fewest pods on a node, before > after', value: ({ spread }) => arrow(spread.fewestPodsOnANode) },
];

/** A column for each way, with the ratio to the first one where that says something. */
export function figuresTable(measured: readonly { readonly way: string; readonly figures: RollFigures }[]): string {
  const [first] = measured;
  const lines = [
    ['', ...measured.map(({ way }) => way)],
    ...rows.map(({ title, value, ratio }) => [
      title,
      ...measured.map(({ figures }, column) => {
        const figure = value(figures);
        const base = first === undefined ? undefined : value(first.figures);
        if (ratio !== true || column === 0 || typeof figure !== 'number' || typeof base !== 'number')
          return String(figure);
        return `${String(figure)} (x${(figure / base).toFixed(2)})`;
      }),
    ]),
  ];
  const widths = lines[0]?.map((_, column) => Math.max(...lines.map((line) => line[column]?.length ?? 0))) ?? [];
  return lines
    .map((line) =>
      line
        .map((cell, column) => cell.padEnd(widths[column] ?? 0))
        .join('  ')
        .trimEnd(),
    )
    .join('\n');
}

function arrow({ before, after }: { readonly before: number; readonly after: number }): string {
  return `${String(before)} > ${String(after)}`;
}
