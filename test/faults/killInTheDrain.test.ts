import { killMatrix } from './killMatrix.js';
import { entry } from './moments.js';

killMatrix('kill -9 in the drain and at the script, right after', [
  entry('pod.evicting'),
  entry('pod.gone'),
  entry('drain.finished'),
  entry('host.connected'),
  entry('job.started', '"stage":"update"'),
  entry('job.finished', '"stage":"update"'),
  entry('reboot.requested'),
]);
