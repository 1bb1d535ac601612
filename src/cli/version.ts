import { createRequire } from 'node:module';

const packageFile: unknown = createRequire(import.meta.url)('../../package.json');

/** Version of Turnus, as in package.json. */
export const version: string =
  typeof packageFile === 'object' &&
  packageFile !== null &&
  'version' in packageFile &&
  typeof packageFile.version === 'string'
    ? packageFile.version
    : '0.0.0';
