import { hostConnectionMatrix } from './hostConnectionMatrix.js';

hostConnectionMatrix('reset');
