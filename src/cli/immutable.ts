import { RegistryError } from "../index.ts";
import type { Cli } from "./cli.ts";
import { force } from "./options.ts";

/** Whether a tag never moves, as `tags.immutable` of the configuration says; undefined where it says nothing, or --force is given. */
export async function immutableTags({ config, get }: Cli): Promise<((tag: string) => boolean) | undefined> {
  const texts = (await config()).values.tags?.immutable ?? [];
  if (texts.length === 0 || get(force)) return undefined;
  const { immutableBy } = await import("../policy/index.ts");
  return ofConfiguration(() => immutableBy(texts));
}

/** Says of what is no pattern where it stands. */
export function ofConfiguration<T>(read: () => T): T {
  try {
    return read();
  } catch (cause) {
    throw new RegistryError("INVALID", `tags.immutable of the configuration: ${(cause as Error).message}`, { cause });
  }
}
