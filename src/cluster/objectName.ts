/** Could an object have this name (RFC 1123 subdomain)? Anything else is no path of the API. */
export function isObjectName(name: string): boolean {
  return name.length <= 253 && /^[a-z0-9]([-a-z0-9.]*[a-z0-9])?$/.test(name);
}
