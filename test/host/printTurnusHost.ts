import { turnusHostScript } from '../../src/host/turnusHost.js';

process.stdout.write(turnusHostScript());
