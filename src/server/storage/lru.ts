/** Keeps the values used last, up to a weight in all. */
export interface Lru<V> {
  get(key: string): V | undefined;
  set(key: string, value: V): void;
  delete(key: string): void;
}

/** Makes a cache that weighs `limit` at most; without `weigh`, every value weighs 1. */
export function lru<V>(limit: number, weigh: (value: V) => number = () => 1): Lru<V> {
  const values = new Map<string, V>();
  let weight = 0;

  function remove(key: string): V | undefined {
    const value = values.get(key);
    if (value === undefined) return undefined;
    values.delete(key);
    weight -= weigh(value);
    return value;
  }

  return {
    get(key) {
      const value = values.get(key);
      if (value === undefined) return undefined;
      values.delete(key);
      values.set(key, value);
      return value;
    },
    set(key, value) {
      remove(key);
      values.set(key, value);
      weight += weigh(value);
      for (const oldest of values.keys()) {
        if (weight <= limit) break;
        remove(oldest);
      }
    },
    delete: (key) => void remove(key),
  };
}
