import { openRealMaintainedSide } from '../../honesty/realSide.js';
import { describeBeforeTheNight } from '../../honesty/suite/beforeTheNight.js';

describeBeforeTheNight('the real control plane', openRealMaintainedSide);
