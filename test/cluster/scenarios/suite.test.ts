import { openRealMaintainedSide } from '../../honesty/realSide.js';
import { describeMonth } from '../../honesty/suite/month.js';
import { describePolicies } from '../../honesty/suite/policies.js';
import { describeTroubles } from '../../honesty/suite/troubles.js';

describeMonth('the real control plane', openRealMaintainedSide);
describeTroubles('the real control plane', openRealMaintainedSide);
describePolicies('the real control plane', openRealMaintainedSide);
