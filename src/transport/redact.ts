/** The query parameters of the distribution and token APIs, none of them secret. */
const open = new Set([
  "account",
  "artifactType",
  "digest",
  "digest-algorithm",
  "from",
  "last",
  "mount",
  "n",
  "ns",
  "scope",
  "service",
  "tag",
]);

/** A URL for people to read: without user and password, and with the values of unknown parameters, where signatures are, left out. */
export function redactUrl(url: URL): string {
  const place = `${url.protocol}//${url.host}${url.pathname}`;
  if (url.search === "") return place;
  const query = [...url.searchParams]
    .map(([name, value]) => (open.has(name) ? `${name}=${value}` : `${name}=...`))
    .join("&");
  return query === "" ? place : `${place}?${query}`;
}
