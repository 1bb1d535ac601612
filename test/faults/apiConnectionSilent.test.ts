import { apiConnectionMatrix } from './apiConnectionMatrix.js';

apiConnectionMatrix('silence');
