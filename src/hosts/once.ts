/** Calls a function the first time that it is asked, and gives what it gave from then on; what it throws is not kept. */
export function once<T>(make: () => T): () => T {
  let made: { readonly value: T } | undefined;
  return () => (made ??= { value: make() }).value;
}
