import { openSandboxMaintainedSide } from '../../honesty/sandboxSide.js';
import { describePolicies } from '../../honesty/suite/policies.js';

describePolicies('the sandbox', (options) => openSandboxMaintainedSide({ ...options, program: 'quick-build' }));
