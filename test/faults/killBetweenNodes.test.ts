import { killMatrix } from './killMatrix.js';
import { entry } from './moments.js';

killMatrix(
  'kill -9 in a run over several nodes with a singleton that is surged, right after',
  [
    entry('owner.surging'),
    entry('owner.surged'),
    entry('turn.started', '"node":"node-2"'),
    entry('pod.evicting', '"node":"node-3"'),
  ],
  { nodes: 'all', singletons: true },
);
