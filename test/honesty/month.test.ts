import { openSandboxMaintainedSide } from './sandboxSide.js';
import { describeMonth } from './suite/month.js';

describeMonth('the sandbox', (options) => openSandboxMaintainedSide({ ...options, program: 'quick-build' }));
