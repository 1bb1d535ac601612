import { killMatrix } from './killMatrix.js';
import { entry } from './moments.js';

killMatrix('kill -9 after the boot, right after', [
  entry('boot.proved'),
  entry('health.checked'),
  entry('job.started', '"stage":"join"'),
  entry('job.finished', '"stage":"join"'),
  entry('node.uncordoning'),
  entry('node.uncordoned'),
  entry('turn.finished'),
  entry('run.finished'),
]);
