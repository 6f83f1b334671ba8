// Links that people write: to pages of this server, to http(s) and to mail.

/** Returns the address of a link; `null` for what may do more than lead somewhere. */
export function linkOf(address: string): string | null {
  if (/^(?:https?:\/\/|mailto:)/i.test(address)) return address;
  // A path of this server, as the page writes it; two slashes would be another server.
  return /^\/(?![/\\])[^\u0000-\u0020\\]*$/.test(address) ? address.slice(1) : null;
}
