import { lifecycleDialects, RegistryError, type LifecycleDialect } from "../../index.ts";
import { flag, value, type Option } from "../option.ts";

export const from: Option<LifecycleDialect | undefined> = value(
  "--from <dialect>",
  `whose form the policy has: ${lifecycleDialects.join(", ")}`,
  parseDialect,
  { completes: lifecycleDialects },
);
export const to: Option<LifecycleDialect | undefined> = value(
  "--to <dialect>",
  `whose form it shall have: ${lifecycleDialects.join(", ")}`,
  parseDialect,
  { completes: lifecycleDialects },
);
export const simpleImages: Option<boolean> = flag(
  "--simple-images",
  "convert counts too, as if each image had one tag and one platform",
);
export const strict: Option<boolean> = flag("--strict", "write nothing, and end with 1, where anything is lost");
export const useCreated: Option<boolean> = flag(
  "--use-created",
  "go by the time at which images were built, where it is not known when they were pushed",
);
export const everything: Option<boolean> = flag("--all", "show what stays too");

function parseDialect(text: string): LifecycleDialect {
  const found = lifecycleDialects.find((dialect) => dialect === text);
  if (found) return found;
  throw new RegistryError("INVALID", `${JSON.stringify(text)} is none of ${lifecycleDialects.join(", ")}`);
}
