import { apiConnectionMatrix } from './apiConnectionMatrix.js';

apiConnectionMatrix('half-open');
