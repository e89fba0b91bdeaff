import type { Config, Fault } from "../index.ts";
import { stageFaults } from "../policy/index.ts";

/** A fault at a key, or at what stands nearest to it: below it, beside it, or above. */
export function faultAt(
  { settings }: Config,
  path: readonly string[],
  { message, hint }: Omit<Fault, "source">,
): Fault {
  const within = (keys: readonly string[]): string | undefined =>
    settings.find((one) => keys.every((key, i) => one.path[i] === key))?.origin;
  const origin = path.map((_, i) => within(path.slice(0, path.length - i))).find((one) => one !== undefined);
  const [, source, line] = /^(.*?)(?::(\d+))?$/s.exec(origin ?? "")!;
  return { source: source!, ...(line && { line: Number(line) }), message, ...(hint && { hint }) };
}

/** What is wrong with the stages of a configuration, and where it stands. */
export function stageFaultsIn(config: Config): readonly Fault[] {
  return stageFaults(config.values.promote?.stages ?? {}).map(({ stage, key, error }) =>
    faultAt(config, ["promote", "stages", stage, key], error),
  );
}
