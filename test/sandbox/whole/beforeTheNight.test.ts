import { openSandboxMaintainedSide } from '../../honesty/sandboxSide.js';
import { describeBeforeTheNight } from '../../honesty/suite/beforeTheNight.js';

describeBeforeTheNight('the sandbox', (options) => openSandboxMaintainedSide({ ...options, program: 'quick-build' }));
