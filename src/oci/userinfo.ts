/** Behind an address's scheme, all before its host; also where a `/` in the password would end it. */
const inAddress = /(?<=[a-z]:\/\/)(?:[^/?#]*|[^/?#:@]+:(?!\d{1,5}(?:\/|$)).+)@(?=[\w[])(?!sha\d+:)/is;
/** The same without a scheme: `user:password@`, and no port, digest or path after a transport. */
const bare =
  /(?<=^|=)(?!(?:oci|ocidir|oci-archive|docker-archive|dir):)[^\s/:@=]+:(?!\/\/|\d{1,5}\/).+@(?=[\w[])(?!sha\d+:)/is;

/** A word without the password that stands before a host in it: `USER:PASSWORD` is in its place. */
export function maskUserinfo(word: string): string {
  // Every reference that is read comes by here.
  if (!word.includes("@")) return word;
  return word.replace(inAddress, "USER:PASSWORD@").replace(bare, "USER:PASSWORD@");
}
