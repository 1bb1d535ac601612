import { checkGates } from './steps/checkGates.js';
import { cordonNode } from './steps/cordonNode.js';
import { drainNode } from './steps/drainNode.js';
import { prepareHost } from './steps/prepareHost.js';
import { rebootHost } from './steps/rebootHost.js';
import { settleTurn } from './steps/settleTurn.js';
import { uncordonNode } from './steps/uncordonNode.js';
import { updateHost } from './steps/updateHost.js';
import { verifyNode } from './steps/verifyNode.js';
import type { Step } from './turnContext.js';

/** A turn, step by step. Each can run again after any crash. */
export const turnSteps: readonly Step[] = [
  { phase: 'Preparing', run: prepareHost },
  { phase: 'Checking', run: checkGates },
  { phase: 'Cordoning', run: cordonNode },
  { phase: 'Draining', run: drainNode },
  { phase: 'Updating', run: updateHost },
  { phase: 'Rebooting', run: rebootHost },
  { phase: 'Verifying', run: verifyNode },
  { phase: 'Uncordoning', run: uncordonNode },
  { phase: 'Settling', run: settleTurn },
];
