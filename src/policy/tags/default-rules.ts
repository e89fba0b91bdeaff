import { parse } from "semver";
import { gitTagOf, type BuildContext } from "./context.ts";
import { parseTagRule, type TagRule } from "./rule.ts";

/**
 * The rules where nobody says others: of a git tag that is a version the version, `1.2` and `1` (`0` only where `zero` says so), of
 * any other git tag, branch and pull request its name, of a scheduled build `nightly`, and of all the commit.
 */
export function defaultRules(
  context: BuildContext,
  { zero = false }: { readonly zero?: boolean } = {},
): readonly TagRule[] {
  const version = parse(gitTagOf(context) ?? "");
  const ofTag = version
    ? [
        "type=semver,pattern={{version}}",
        "type=semver,pattern={{major}}.{{minor}}",
        ...(version.major > 0 || zero ? ["type=semver,pattern={{major}}"] : []),
      ]
    : ["type=ref,event=tag"];
  return ["type=schedule", ...ofTag, "type=ref,event=branch", "type=ref,event=pr", "type=sha"].map(parseTagRule);
}

/** The rule that calls an image by the environment that it is for: `prod`. */
export const environmentRule = (name: string): TagRule => ({
  type: "raw",
  text: `the environment ${name}`,
  priority: 500,
  attributes: { value: name.replaceAll("{{", "") },
});
