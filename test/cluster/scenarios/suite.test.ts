import { describeMaintenance } from '../../honesty/suite/describeMaintenance.js';
import { openRealMaintainedSide } from '../../honesty/realSide.js';

describeMaintenance('maintenance on the real control plane', openRealMaintainedSide);
