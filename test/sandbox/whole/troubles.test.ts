import { openSandboxMaintainedSide } from '../../honesty/sandboxSide.js';
import { describeTroubles } from '../../honesty/suite/troubles.js';

describeTroubles('the sandbox', (options) => openSandboxMaintainedSide({ ...options, program: 'quick-build' }));
