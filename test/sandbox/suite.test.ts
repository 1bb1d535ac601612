import { openSandboxMaintainedSide } from '../honesty/sandboxSide.js';
import { describeMaintenance } from '../honesty/suite/describeMaintenance.js';

describeMaintenance('maintenance on the sandbox', (options) =>
  openSandboxMaintainedSide({ ...options, program: 'source' }),
);
