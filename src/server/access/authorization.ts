const credentialForm = /^basic +([A-Za-z0-9+/]+={0,2})$/i;

/** Reads an Authorization header of the Basic scheme (RFC 7617); undefined where it is of another or malformed. */
export function parseBasic(header: string): { readonly user: string; readonly password: string } | undefined {
  const encoded = credentialForm.exec(header)?.[1];
  if (encoded === undefined) return undefined;
  const text = Buffer.from(encoded, "base64").toString("utf8");
  const colon = text.indexOf(":");
  return colon < 0 ? undefined : { user: text.slice(0, colon), password: text.slice(colon + 1) };
}

/** Reads an Authorization header of the Bearer scheme (RFC 6750). */
export function parseBearer(header: string): string | undefined {
  return /^bearer +([A-Za-z0-9._~+/-]+=*)$/i.exec(header)?.[1];
}
