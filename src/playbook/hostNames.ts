/** A host name or an IP address, as a playbook and an ssh_config file may write it. */
export const hostNamePattern = /^[A-Za-z0-9_][\w.:-]{0,252}$/;

/** The name of a user on a host: nothing that a command line could take for an option or a port. */
export const userNamePattern = /^[^\s:-][^\s:]{0,63}$/;
