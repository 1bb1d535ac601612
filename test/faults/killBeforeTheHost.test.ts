import { killMatrix } from './killMatrix.js';
import { entry } from './moments.js';

killMatrix('kill -9 before the host is touched, right after', [
  entry('run.started'),
  entry('turn.started'),
  entry('job.started', '"stage":"prepare"'),
  entry('job.finished', '"stage":"prepare"'),
  entry('gate.checked'),
  entry('node.cordoning'),
  entry('node.cordoned'),
  entry('job.started', '"stage":"leave"'),
  entry('job.finished', '"stage":"leave"'),
]);
