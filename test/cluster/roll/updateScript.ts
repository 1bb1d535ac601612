import { updateScript as withCommands } from '../playbook.js';

/** What both ways run on each host: a second of work, counted, and a reboot is asked for. */
export const updateScript = withCommands('sleep 1');
