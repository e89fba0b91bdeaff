import type { ConfRegistry } from "./registries-conf.ts";

/**
 * The entry with the longest prefix that fits a name (`host[:port][/repository]`). As in containers/image, a prefix ends
 * where the name has `/`, `:`, `@` or its end, so that `example.com` fits `example.com:5000/app` too; of two that are as
 * long, the first in byte order counts.
 */
export function findRegistry(registries: readonly ConfRegistry[], name: string): ConfRegistry | undefined {
  const fitting = registries.filter(({ prefix }) => matchedLength(name, prefix) !== undefined);
  return fitting.toSorted((a, b) => b.prefix.length - a.prefix.length || (a.prefix < b.prefix ? -1 : 1))[0];
}

/** How much of a name a prefix stands for; undefined where it does not fit. `*.example.com` stands for any host below. */
export function matchedLength(name: string, prefix: string): number | undefined {
  const end = prefix.startsWith("*.") ? wildcardEnd(name, prefix.slice(1)) : prefix.length;
  if (end === undefined || (!prefix.startsWith("*.") && !name.startsWith(prefix))) return undefined;
  return end === name.length || "/:@".includes(name[end]!) ? end : undefined;
}

function wildcardEnd(name: string, domain: string): number | undefined {
  const index = name.indexOf(domain);
  return index < 0 || name.slice(0, index).includes("/") ? undefined : index + domain.length;
}

/** A name with a location in place of the prefix. */
export function relocated(name: string, prefix: string, location: string): string {
  return location === "" ? name : location + name.slice(matchedLength(name, prefix) ?? name.length);
}
