/** Whether what may be a host and its port may as well be an image of Docker Hub's and its tag: `redis:7`. */
export function mayBeImage(host: string): boolean {
  return /^(?!localhost:)[^.[]+:\d+$/.test(host);
}
