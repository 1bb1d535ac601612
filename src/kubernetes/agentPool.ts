import { createHash } from 'node:crypto';
import { Agent as HttpAgent } from 'node:http';
import { Agent as HttpsAgent, type AgentOptions } from 'node:https';
import type { Connection } from './credentials.js';

/** Keep-alive agents, one for each set of credentials, so that rotated certificates lead to new connections. */
export interface AgentPool {
  agentFor(connection: Connection): HttpAgent;
  /** Destroys every connection, also those in use; what is asked next gets a new one. */
  dropConnections(): void;
}

/** Idle connections are given up well before servers and load balancers do it (kube-apiserver: 90 s). */
const idleMs = 30_000;

/** Agents of former credentials that are kept while their requests end. */
const keptAgents = 3;

const options: AgentOptions = {
  keepAlive: true,
  // TCP probes begin after this silence and give up 10 s later (libuv), which also ends a watch to a dead server.
  keepAliveMsecs: 15_000,
  maxSockets: 64,
  timeout: idleMs,
  scheduling: 'lifo',
};

/** An empty pool for a server. `http:` servers get plain connections. */
export function agentPool(server: URL): AgentPool {
  const agents = new Map<string, HttpAgent>();
  const agentOf = ({ tls, proxyAgent }: Connection): HttpAgent => {
    // The client makes proxy agents without keep-alive; both fields are read at the end of each request.
    if (proxyAgent !== undefined) return Object.assign(proxyAgent, { keepAlive: true, maxSockets: 64 });
    return server.protocol === 'http:' ? new HttpAgent(options) : new HttpsAgent({ ...options, ...tls });
  };
  return {
    agentFor(connection) {
      const key = keyOf(connection);
      const agent = agents.get(key) ?? agentOf(connection);
      agents.delete(key);
      agents.set(key, agent);
      for (const [oldest, former] of agents) {
        if (agents.size <= keptAgents) break;
        agents.delete(oldest);
        former.destroy();
      }
      return agent;
    },
    dropConnections() {
      for (const agent of agents.values()) agent.destroy();
      agents.clear();
    },
  };
}

function keyOf({ tls }: Connection): string {
  const hash = createHash('sha256');
  for (const part of [tls.ca, tls.cert, tls.key, tls.servername, tls.rejectUnauthorized]) {
    const text = Buffer.isBuffer(part) ? part.toString('base64') : JSON.stringify(part ?? null);
    hash.update(`${String(text.length)}:${text}\n`);
  }
  return hash.digest('hex');
}
