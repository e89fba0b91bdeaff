/** Headers that are HTTP's or the protocol's own to set: another value would break a request, or send a login astray. */
const reserved =
  /^(?:accept|accept-encoding|authorization|connection|content-.*|date|expect|host|if-.*|keep-alive|proxy-.*|range|te|trailer|transfer-encoding|upgrade)$/i;

const valueForm = /^[\t\x20-\x7e\x80-\xff]*$/;

/** Whether HTTP has a place for a header's value: one line without control characters. */
export function isFieldValue(value: string): boolean {
  return valueForm.test(value);
}

/** What is wrong with a header to be sent to a host beside our own, without its value, which may be a secret; nothing where it is fine. */
export function headerFault(name: string, value: string): string | undefined {
  if (!/^[!#$%&'*+.^_`|~0-9A-Za-z-]+$/.test(name)) return `${JSON.stringify(name)} is not a header's name`;
  if (reserved.test(name)) return `the header ${name} cannot be set: requests have their own`;
  return isFieldValue(value) ? undefined : `the value of the header ${name} has characters that HTTP has no place for`;
}
