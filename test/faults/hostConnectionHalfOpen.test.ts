import { hostConnectionMatrix } from './hostConnectionMatrix.js';

hostConnectionMatrix('half-open');
