/** Whether what may be a host and its port may as well be an image of Docker Hub's and its tag: `redis:7`. */
export function mayBeImage(host: string): boolean {
  return /^(?!localhost:)[^.[]+:\d+$/.test(host);
}

/** The registry that a word names by its host alone (`registry.example`, `localhost:5000/`, `[::1]:5000`), if it does. */
export function hostOf(place: string): string | undefined {
  const bare = place.replace(/^docker:\/\//, "").replace(/\/$/, "");
  if (!/^(?:[\w.-]+|\[[\da-fA-F:.]+\])(?::\d+)?$/.test(bare) || /^(?:oci|oci-archive|docker-archive|dir):/.test(bare)) {
    return undefined;
  }
  return bare === "localhost" || /[.[:]/.test(bare) ? bare.toLowerCase() : undefined;
}
