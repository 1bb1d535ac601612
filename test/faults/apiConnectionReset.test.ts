import { apiConnectionMatrix } from './apiConnectionMatrix.js';

apiConnectionMatrix('reset');
