/** The arrows of the house: which room may know which. */
const room = (name) => `^src/${name}/`;
const pure = '^src/(playbook|calendar|gates)/|^src/drain/next[.]ts$';

module.exports = {
  forbidden: [
    { name: 'no-circular', severity: 'error', from: {}, to: { circular: true } },
    {
      name: 'pure-rooms-do-no-io',
      comment: 'playbook, calendar, gates and drain/next.ts decide; they read nothing themselves',
      severity: 'error',
      from: { path: pure },
      to: {
        path: '^src/(kubernetes|ssh|server|sandbox|cli|console|run)/|^(node:)?(fs|net|http|https|child_process|tls|os)(/|$)',
      },
    },
    {
      name: 'only-kubernetes-knows-the-client',
      severity: 'error',
      from: { path: '^src/', pathNot: room('kubernetes') },
      to: { path: 'node_modules/@kubernetes/client-node' },
    },
    {
      name: 'only-ssh-knows-ssh2',
      severity: 'error',
      from: { path: '^src/', pathNot: '^src/(ssh|sandbox)/' },
      to: { path: 'node_modules/ssh2/' },
    },
    {
      name: 'only-server-and-sandbox-know-the-http-library',
      severity: 'error',
      from: { path: '^src/', pathNot: '^src/(server|sandbox)/' },
      to: { path: 'node_modules/(hono|@hono)/' },
    },
    {
      name: 'only-server-knows-node-cron',
      severity: 'error',
      from: { path: '^src/', pathNot: room('server') },
      to: { path: 'node_modules/node-cron/' },
    },
    {
      name: 'only-server-knows-metrics-and-logs',
      comment: 'elsewhere what happens is a journal entry, a state or a value',
      severity: 'error',
      from: { path: '^src/', pathNot: room('server') },
      to: { path: 'node_modules/(prom-client|pino)/' },
    },
    {
      name: 'only-calendar-knows-temporal-and-ical',
      comment: 'elsewhere an instant is milliseconds since the epoch, and a calendar file plain data',
      severity: 'error',
      from: { path: '^src/', pathNot: room('calendar') },
      to: { path: 'node_modules/(temporal-polyfill|ical[.]js)/' },
    },
    {
      name: 'only-cli-knows-commander',
      severity: 'error',
      from: { path: '^src/', pathNot: room('cli') },
      to: { path: 'node_modules/commander/' },
    },
    {
      name: 'only-main-knows-cli',
      severity: 'error',
      from: { path: '^src/', pathNot: '^src/(main[.]ts$|cli/)' },
      to: { path: room('cli') },
    },
    {
      name: 'adapters-are-imported-lazily',
      comment:
        'cli wires kubernetes and ssh by dynamic import, so that --help and validate stay fast; nobody imports sandbox statically',
      severity: 'error',
      from: { path: '^src/', pathNot: '^src/(kubernetes|ssh|sandbox)/' },
      to: { path: '^src/(kubernetes|ssh|sandbox)/', dynamic: false, dependencyTypesNot: ['type-only'] },
    },
    {
      name: 'rooms-below-run-do-not-know-run',
      severity: 'error',
      from: { path: '^src/(cluster|kubernetes|gates|drain|host|ssh|health|journal|playbook|calendar|time)/' },
      to: { path: '^src/(run|console)/' },
    },
    {
      name: 'cluster-stands-below-the-deciders',
      severity: 'error',
      from: { path: room('cluster') },
      to: { path: '^src/(gates|drain|host|health|playbook|kubernetes|ssh)/' },
    },
  ],
  options: {
    doNotFollow: { path: 'node_modules' },
    tsPreCompilationDeps: true,
    tsConfig: { fileName: 'tsconfig.json' },
    enhancedResolveOptions: {
      exportsFields: ['exports'],
      conditionNames: ['import', 'require', 'node', 'default', 'types'],
    },
  },
};
