import { version } from './version.js';

/**
 * What a command calls itself to the API server, so that the cluster's audit log tells a plan from a run: product, version
 * and a comment (RFC 9110, section 10.1.5).
 */
export function userAgentOf(command: string): string {
  return `turnus/${version} (${command})`;
}
