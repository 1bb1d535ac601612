import { hostConnectionMatrix } from './hostConnectionMatrix.js';

hostConnectionMatrix('silence');
