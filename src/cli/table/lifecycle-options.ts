import {
  lifecycleDialects,
  lifecycleForms,
  RegistryError,
  type LifecycleDialect,
  type LifecycleForm,
} from "../../index.ts";
import { flag, value, values, type Option } from "../option.ts";

export const from: Option<LifecycleDialect | undefined> = value(
  "--from <dialect>",
  `whose form the policy has: ${lifecycleDialects.join(", ")}`,
  parseDialect,
  { completes: lifecycleDialects },
);
/** The same, where a policy of Gantry's own can be converted. */
export const fromForm: Option<LifecycleForm | undefined> = value(
  "--from <form>",
  `whose form the policy has: ${lifecycleForms.join(", ")}`,
  parseForm,
  { completes: lifecycleForms },
);
export const to: Option<LifecycleForm | undefined> = value(
  "--to <form>",
  `whose form it shall have: ${lifecycleForms.join(", ")}`,
  parseForm,
  { completes: lifecycleForms },
);
export const as: Option<"terraform" | undefined> = value(
  "--as <language>",
  "write a policy of ECR in another language: terraform",
  (text) => oneOf(text, ["terraform"]),
  { completes: ["terraform"] },
);
export const repositories: Option<readonly string[]> = values(
  "--repository <name>",
  "a repository that the Terraform is for; repeat for more",
  (text) => text,
);
export const mutability: Option<"MUTABLE" | "IMMUTABLE" | undefined> = value(
  "--mutability <kind>",
  "write the repositories into the Terraform too, with tags that are mutable or immutable",
  (text) => (oneOf(text, ["mutable", "immutable"]) === "mutable" ? "MUTABLE" : "IMMUTABLE"),
  { completes: ["mutable", "immutable"] },
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
  return oneOf(text, lifecycleDialects);
}

function parseForm(text: string): LifecycleForm {
  return oneOf(text, lifecycleForms);
}

function oneOf<const T extends string>(text: string, words: readonly T[]): T {
  const found = words.find((word) => word === text);
  if (found !== undefined) return found;
  throw new RegistryError("INVALID", `${JSON.stringify(text)} is none of ${words.join(", ")}`);
}
