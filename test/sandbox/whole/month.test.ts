import { openSandboxMaintainedSide } from '../../honesty/sandboxSide.js';
import { describeMonth } from '../../honesty/suite/month.js';

describeMonth('the sandbox', (options) => openSandboxMaintainedSide({ ...options, program: 'quick-build' }));
