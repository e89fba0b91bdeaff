/** A map that forgets its oldest entry when it has more than its limit: what strangers can fill stays bounded. */
export interface Recent<Value> {
  get(key: string): Value | undefined;
  set(key: string, value: Value): void;
  delete(key: string): void;
}

/** Makes an empty map of at most `limit` entries; setting a key again makes it the newest. */
export function recent<Value>(limit: number): Recent<Value> {
  const entries = new Map<string, Value>();
  return {
    get: (key) => entries.get(key),
    set: (key, value) => {
      entries.delete(key);
      entries.set(key, value);
      if (entries.size > limit) entries.delete(entries.keys().next().value!);
    },
    delete: (key) => {
      entries.delete(key);
    },
  };
}
