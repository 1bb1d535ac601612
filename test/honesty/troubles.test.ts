import { openSandboxMaintainedSide } from './sandboxSide.js';
import { describeTroubles } from './suite/troubles.js';

describeTroubles('the sandbox', (options) => openSandboxMaintainedSide({ ...options, program: 'quick-build' }));
